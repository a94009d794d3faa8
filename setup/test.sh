#!/usr/bin/env bash
# `make test`: set-up, then every test that needs no server and no Windows.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. setup/steps.sh
steps_begin build/log/closing.txt

unit_tests() {
  step "build $1" setup/build.sh "$1" || return
  # Two at a time: most of them wait. More would have those that time something compete.
  tests "ctest $1" ctest --preset "$1" --parallel 2
}

setup/setup.sh run test || exit 1
unit_tests release
ln -sfn release/src/cli/gpulse build/gpulse
unit_tests asan
step "page types" npm run --prefix web --silent check
tests "page units" npm test --prefix web --silent
tests "page in Chromium" tests/page/run.sh build/gpulse
step "build fuzz" setup/build.sh fuzz fuzzers && tests "fuzz" fuzz/run_all.sh 5
steps_end "make test"
