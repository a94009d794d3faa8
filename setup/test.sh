#!/usr/bin/env bash
# `make test`: set-up, then every test there is. A failed step does not hide those after it; the
# runners' own closing lines come last and stand in build/log/closing.txt.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
began=$SECONDS
mkdir -p build/log
failed=()
closing=build/log/closing.txt
: >"$closing"

# step NAME COMMAND...
step() {
  setup/step.sh "$@" && return 0
  failed+=("$1")
  return 1
}

# The lines by which a runner tells its result, under the step's name.
close() {
  {
    echo "$1:"
    grep -E "$2" "build/log/${1// /-}.log" 2>/dev/null | tail -n 8 | sed 's/^ */  /' | grep . ||
      echo "  (no closing line: it did not get that far)"
  } >>"$closing"
}

unit_tests() {
  step "build $1" setup/build.sh "$1" || return
  # Two at a time: most of them wait. More would have those that time something compete.
  step "ctest $1" ctest --preset "$1" --parallel 2
  close "ctest $1" 'tests passed|tests failed out of|Total Test time|^[[:space:]]+[0-9]+ - '
}

page_tests() {
  step "page types" npm run --prefix web --silent check
  step "page units" npm test --prefix web --silent
  close "page units" '^(#|ℹ) (tests|pass|fail)'
  step "page in Chromium" tests/page/run.sh build/gpulse
  close "page in Chromium" '^(#|ℹ) (tests|pass|fail)'
}

fuzzing() {
  step "build fuzz" setup/build.sh fuzz fuzzers || return
  step "fuzz" fuzz/run_all.sh 5
  close "fuzz" 'fuzz: '
}

setup/setup.sh run test || exit 1
unit_tests release
ln -sfn release/src/cli/gpulse build/gpulse
unit_tests asan
[ -f web/package.json ] && page_tests
fuzzing

. setup/real_logs.sh
real_logs_told >>"$closing"
echo
cat "$closing"
echo
minutes=$(awk -v s=$((SECONDS - began)) 'BEGIN { printf "%.1f", s / 60 }')
if [ ${#failed[@]} -gt 0 ]; then
  printf 'make test: FAILED after %s minutes:' "$minutes"
  printf ' [%s]' "${failed[@]}"
  echo
  exit 1
fi
echo "make test: everything passed in $minutes minutes"
