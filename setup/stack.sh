#!/usr/bin/env bash
# `make stack`: the servers of the real-time path, into the cache that deploy/stack looks in. Does nothing
# when all is there.
#
#   setup/stack.sh [PART...]
set -uo pipefail
cd "$(dirname "$0")/.." || exit
began=$(date +%s%N)
setup/setup.sh stack || exit 1
mapfile -t parts < <(deploy/stack missing "$@")
for part in "${parts[@]}"; do
  setup/step.sh "stack $part" nice deploy/stack fetch "$part" || exit 1
done
[ $# = 0 ] || deploy/stack where "$@"
awk -v ns=$(($(date +%s%N) - began)) -v made="${#parts[@]}" 'BEGIN {
  printf "stack: %s in %.1f minutes; deploy/stack up starts it\n", made ? made " parts made" : "all there", ns / 6e10 }'
