#!/usr/bin/env bash
# `make test-windows`: gpulse.exe and its unit tests, built and run under Wine, then what users do with it, by
# the front door.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. setup/steps.sh
steps_begin build/log/closing-windows.txt

setup/setup.sh run test windows test-windows || exit 1
# What it gives on Linux is what it has to give there.
step "build release" setup/build.sh release gpulse
# By this a script knows that it is Windows' program, and where its Windows is.
export GPULSE_WINEPREFIX=$PWD/build/windows/wine
if step "build windows" setup/build.sh windows; then
  tests "ctest windows" ctest --preset windows
  tests "page on windows" tests/page/run.sh build/windows/run/gpulse
  step "package windows" setup/package_windows.sh && tests "installer" tests/windows/installer.py build/windows/package
fi
steps_end "make test-windows"
