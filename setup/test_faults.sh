#!/usr/bin/env bash
# `make test-faults`: what `make test`, `make test-windows` and `make test-stack` break at one moment is broken at
# many: 60 rounds of kills of gpulse, 12 of gpulse.exe (some 300 and 60 kills), 20 of each fault of the servers.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. setup/steps.sh
steps_begin build/log/closing-faults.txt

setup/setup.sh run test windows test-windows test-stack || exit 1
setup/stack.sh || exit 1
step "build release" setup/build.sh release gpulse &&
  GPULSE_FAULT_ROUNDS=60 tests "faults" tests/faults_test.py build/release/src/cli/gpulse
step "build windows" setup/build.sh windows gpulse &&
  GPULSE_FAULT_ROUNDS=12 GPULSE_WINEPREFIX=$PWD/build/windows/wine \
    tests "faults on windows" tests/faults_test.py build/windows/run/gpulse
GPULSE_FAULT_ROUNDS=20 tests "faults of servers" tests/real_time_path_test.py build/release/src/cli/gpulse \
  killed_at_any_moment the_broker_is_killed the_sink_is_killed influxd_is_killed kafka_is_killed_under_the_sink \
  influxdb_fails_and_hangs_under_the_sink influxdb_fails_and_hangs_under_run the_broker_is_away a_second_sink_joins_and_leaves
GPULSE_FAULT_ROUNDS=20 tests "one of three brokers" tests/secure_path_test.py build/release/src/cli/gpulse \
  one_of_three_brokers_is_killed
steps_end "make test-faults"
