#!/usr/bin/env bash
# `make test-tsan`: the unit tests and the front door's under the thread sanitizer.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. setup/steps.sh
steps_begin build/log/closing-tsan.txt

setup/setup.sh run test || exit 1
# Without address randomisation: gcc 12's runtime refuses some of the newer kernels' layouts.
step "build tsan" setup/build.sh tsan && tests "ctest tsan" setarch -R ctest --preset tsan --parallel 2
steps_end "make test-tsan"
