#!/usr/bin/env bash
# `make bench`: every benchmark in turn; what they print is kept in build/bench/results.md.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build/bench
if ! cmp -s bench/requirements.txt build/bench/python/.installed; then
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps \
    --only-binary=:all: --require-hashes --upgrade --target build/bench/python -r bench/requirements.txt
  cp bench/requirements.txt build/bench/python/.installed
fi
for bench in parse standby latency query; do
  python3 "bench/${bench}_bench.py"
done | tee build/bench/results.md
