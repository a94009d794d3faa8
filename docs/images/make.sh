#!/usr/bin/env bash
# Draws the pictures of the page again, from the real program on the sample of `make run`:
#
#   docs/images/make.sh [GPULSE]
#
# Takes Debian's chromium and fonts-inter. Inter stands in for Segoe UI, which most viewers have and
# nobody may pass on. The sample is made up, and the same each time; its clock is that of the drawing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
GPULSE=$(realpath "${1:-$root/build/gpulse}")
export GPULSE
if ! fc-list : family | grep -q '^Inter$'; then
  echo "docs/images/make.sh: the font Inter is missing: apt-get install fonts-inter" >&2
  exit 1
fi
"$root/setup/npm_tools.sh" tests/page "the page tests' tools"
export FONTCONFIG_FILE=$here/fonts.conf
exec node "$here/make.mjs"
