#!/usr/bin/env bash
# Debian's Prometheus, unpacked and not installed: the package would start a service of its own on every
# network interface. apt holds the file against Debian's signature; the version is Debian's current one.
set -euo pipefail
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
# The links of its pages lead to these.
pages=(fonts-glyphicons-halflings libjs-bootstrap4 libjs-d3 libjs-eonasdan-bootstrap-datetimepicker libjs-jquery
  libjs-jquery-hotkeys libjs-moment libjs-moment-timezone libjs-mustache libjs-popper.js libjs-rickshaw)
cd "$WORK"
rm -f -- *.deb
download() { apt-get -q download prometheus "${pages[@]}"; }
download || { as_root apt-get -q update && download; }
for package in *.deb; do dpkg-deb --extract "$package" "$OUT"; done
"$OUT/usr/bin/prometheus" --version
