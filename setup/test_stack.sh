#!/usr/bin/env bash
# `make test-stack`: the servers of the real-time path, fetched, started in every profile and broken.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. setup/steps.sh
steps_begin build/log/closing-stack.txt

setup/stack.sh || exit 1
setup/setup.sh run test test-stack || exit 1
tests "compose file" tests/compose_test.py
tests "stack" tests/stack_test.py
step "build release" setup/build.sh release gpulse kafka_probe influxdb_test
tests "kafka" tests/kafka/broker_test.py build/release/src/cli/gpulse build/release/src/kafka/kafka_probe
tests "influxdb" tests/influxdb/influxd_test.py build/release/src/influxdb/influxdb_test
tests "real-time path" tests/real_time_path_test.py build/release/src/cli/gpulse
tests "outlets" tests/outlets_test.py build/release/src/cli/gpulse
tests "InfluxDB 1" tests/influxdb1_test.py build/release/src/cli/gpulse
tests "grafana" tests/grafana_test.py build/release/src/cli/gpulse
tests "other profiles" tests/secure_path_test.py build/release/src/cli/gpulse
tests "doctor on servers" tests/doctor_stack_test.py build/release/src/cli/gpulse
tests "verify" tests/verify_places_test.py build/release/src/cli/gpulse
steps_end "make test-stack"
