#!/usr/bin/env bash
# Telegraf 1.37.0 with the few plugins that it is compared by. Not part of the stack.
set -euo pipefail
export PATH="$PART_GO/go/bin:$PATH" GOTOOLCHAIN=local CGO_ENABLED=0
export GOMODCACHE="$WORK/modules" GOCACHE="$WORK/objects" GOFLAGS="-mod=readonly -buildvcs=false -modcacherw"
plugins=inputs.kafka_consumer,inputs.file,inputs.internal,outputs.influxdb_v2,outputs.file,outputs.discard
plugins+=,parsers.influx,parsers.json_v2,serializers.influx,serializers.json
go build -tags "custom,$plugins" -ldflags '-s -w -X github.com/influxdata/telegraf/internal.Version=1.37.0' \
  -o "$OUT/telegraf" github.com/influxdata/telegraf/cmd/telegraf
"$OUT/telegraf" --version
