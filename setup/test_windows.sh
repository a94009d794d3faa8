#!/usr/bin/env bash
# `make test-windows`: gpulse.exe and its unit tests, built and run under Wine, then what users do with
# it, by the front door. Like setup/test.sh it goes on after a failed step and shows the runners' closing
# lines last.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
began=$SECONDS
failed=()
closing=build/log/closing-windows.txt
mkdir -p build/log
: >"$closing"

# step NAME COMMAND...
step() {
  setup/step.sh "$@" && return 0
  failed+=("$1")
  return 1
}

close() {
  {
    echo "$1:"
    grep -E "$2" "build/log/${1// /-}.log" 2>/dev/null | tail -n 8 | sed 's/^ */  /' | grep . ||
      echo "  (no closing line: it did not get that far)"
  } >>"$closing"
}

setup/setup.sh run test windows test-windows || exit 1
# What it gives on Linux is what it has to give there.
step "build release" setup/build.sh release gpulse
# The moments at which something is killed are those of the commit.
GPULSE_FAULT_SEED=$((16#$(git rev-parse --short=7 HEAD 2>/dev/null || echo 1)))
export GPULSE_FAULT_SEED
if step "build windows" setup/build.sh windows; then
  step "ctest windows" ctest --preset windows
  close "ctest windows" 'tests passed|tests failed out of|Total Test time|^[[:space:]]+[0-9]+ - '
  step "page on windows" tests/page/run.sh build/windows/run/gpulse
  close "page on windows" '^(#|ℹ) (tests|pass|fail)'
  step "package windows" setup/package_windows.sh
  step "installer" tests/windows/installer.py build/windows/package
  close "installer" '[0-9]+ of [0-9]+ passed'
fi

. setup/real_logs.sh
real_logs_told >>"$closing"
echo
cat "$closing"
awk -v s=$((SECONDS - began)) -v failed="${#failed[@]}" 'BEGIN {
  printf "windows tests: %s in %.1f minutes\n", failed ? "FAILED" : "passed", s / 60 }'
[ ${#failed[@]} = 0 ]
