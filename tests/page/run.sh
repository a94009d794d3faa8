#!/usr/bin/env bash
# The page's tests in a real browser, on the real program: tests/page/run.sh GPULSE [TEST_FILE...]
#
# GPULSE_REAL_LOGS names the folder with owners' logs (setup/real_logs.sh); without it their tests are
# skipped, visibly. CHROMIUM names another browser than Debian's.
# Pictures of failures go to build/page-failures.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
GPULSE=$(realpath "${1:?usage: tests/page/run.sh GPULSE [TEST_FILE...]}")
shift
export GPULSE
export GPULSE_PAGE_FAILURES=$root/build/page-failures

"$root/setup/npm_tools.sh" tests/page "the page tests' tools"
rm -rf "$GPULSE_PAGE_FAILURES"
files=("$@")
[ $# -gt 0 ] || files=("$here"/*_test.mjs)
exec node --test --test-reporter=tap "${files[@]}"
