#!/usr/bin/env bash
# `make test-stack`: the servers of the real-time path, fetched, started in every profile and broken. Like
# setup/test.sh it goes on after a failed step and shows the runners' closing lines last.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
began=$SECONDS
failed=()
closing=build/log/closing-stack.txt
mkdir -p build/log
: >"$closing"

# step NAME COMMAND...: runs it, and keeps its closing lines.
step() {
  setup/step.sh "$@" || failed+=("$1")
  {
    echo "$1:"
    grep -E '^(.*[0-9]+ of [0-9]+ passed|\[  (PASSED|FAILED)  \]|Ran [0-9]+ tests? |OK|FAILED)' "build/log/${1// /-}.log" | sed 's/^/  /' |
      grep . || echo "  (no closing line: it did not get that far)"
  } >>"$closing"
}

setup/stack.sh || exit 1
setup/setup.sh run test test-stack || exit 1
step "compose file" tests/compose_test.py
step "stack" tests/stack_test.py
# The moments at which something is killed are those of the commit.
seed=$((16#$(git rev-parse --short=7 HEAD 2>/dev/null || echo 1)))
step "build release" setup/build.sh release gpulse kafka_probe influxdb_test
step "kafka" tests/kafka/broker_test.py build/release/src/cli/gpulse build/release/src/kafka/kafka_probe
step "influxdb" tests/influxdb/influxd_test.py build/release/src/influxdb/influxdb_test
GPULSE_FAULT_SEED=$seed step "real-time path" tests/real_time_path_test.py build/release/src/cli/gpulse
step "outlets" tests/outlets_test.py build/release/src/cli/gpulse
step "InfluxDB 1" tests/influxdb1_test.py build/release/src/cli/gpulse
step "grafana" tests/grafana_test.py build/release/src/cli/gpulse
GPULSE_FAULT_SEED=$seed step "other profiles" tests/secure_path_test.py build/release/src/cli/gpulse
step "doctor on servers" tests/doctor_stack_test.py build/release/src/cli/gpulse
step "verify" tests/verify_places_test.py build/release/src/cli/gpulse

. setup/real_logs.sh
real_logs_told >>"$closing"
echo
cat "$closing"
awk -v s=$((SECONDS - began)) -v failed="${#failed[@]}" 'BEGIN {
  printf "stack tests: %s in %.1f minutes\n", failed ? "FAILED" : "passed", s / 60 }'
[ ${#failed[@]} = 0 ]
