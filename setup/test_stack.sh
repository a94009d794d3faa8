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
# Where `make windows` has built it: the machine that the data come from, over TLS and with a login.
if [ -x build/windows/gpulse.exe ]; then
  export GPULSE_WINEPREFIX=$PWD/build/windows/wine
  tests "gpulse.exe on servers" tests/real_time_path_test.py build/windows/run/gpulse every_row_of_every_log \
    rows_that_are_being_written the_broker_is_away killed_at_any_moment what_is_wrong_is_said set_up_and_sent_without_kafka
  tests "gpulse.exe over TLS" tests/secure_path_test.py build/windows/run/gpulse \
    refused_until_it_is_right_and_then_all_arrives
else
  tell "gpulse.exe NOT THERE: it was not tried on the servers (make windows)"
fi
steps_end "make test-stack"
