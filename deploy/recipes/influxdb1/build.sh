#!/usr/bin/env bash
# Debian's InfluxDB 1.6, unpacked and not installed: the package would start a service of its own. apt holds
# the file against Debian's signature.
set -euo pipefail
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
cd "$WORK"
rm -f -- *.deb
apt-get -q download influxdb || { as_root apt-get -q update && apt-get -q download influxdb; }
dpkg-deb --extract influxdb_*.deb "$OUT"
"$OUT/usr/bin/influxd" version
