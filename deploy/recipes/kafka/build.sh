#!/usr/bin/env bash
# The jars as Maven resolves them, each held against the hash that was written down.
set -euo pipefail
mvn -q -B -ntp -f pom.xml dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$OUT"
sums=$PWD/jars.sha256
cd "$OUT"
sha256sum --quiet --strict --check "$sums"
[ "$(find . -name '*.jar' | wc -l)" = "$(wc -l <"$sums")" ] || { echo "error: jars that jars.sha256 does not name" >&2; exit 1; }
