#!/usr/bin/env bash
# influxd 2.9.1 without its web pages (they are built elsewhere and not in the module). Ten minutes on
# two cores, 3 GB of folders while it builds. go.sum and Flux's Cargo.lock pin all that is fetched.
set -euo pipefail
export PATH="$PART_GO/go/bin:$PATH" GOTOOLCHAIN=local CGO_ENABLED=1
export GOMODCACHE="$WORK/modules" GOCACHE="$WORK/objects" GOFLAGS="-mod=readonly -buildvcs=false -modcacherw"
# Flux asks rustup for a toolchain of its own choice; any from 1.83 on will do.
export RUSTUP_TOOLCHAIN=${RUSTUP_TOOLCHAIN:-stable}
# This one knows how to build libflux, Flux's Rust half, when cgo asks for it.
go build -o "$WORK/pkg-config" github.com/influxdata/pkg-config
PKG_CONFIG="$WORK/pkg-config" go build -trimpath -tags sqlite_foreign_keys,sqlite_json \
  -ldflags "-s -w -X main.version=v2.9.1 -X main.commit=d4fa1941fd -X main.date=2026-01-01T00:00:00Z" \
  -o "$OUT/influxd" github.com/influxdata/influxdb/v2/cmd/influxd
"$OUT/influxd" version
