#!/usr/bin/env bash
# Packs build/windows/gpulse.exe as a zip and as an installer, in build/windows/package.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^project(gpulse VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
package=build/windows/package
files=$package/gpulse-$version
libraries=$(cmake/windows/fetch_libraries.sh)
rdkafka=$(sed -n 's/^GPULSE_RDKAFKA:INTERNAL=//p' build/windows/CMakeCache.txt)

# NAME FILE: a licence under a heading, with the line ends of Windows.
licence() {
  printf '%s\n%s\n\n' "$1" "${1//?/=}"
  cat "$2"
  printf '\n\n'
}

third_party() {
  printf 'gpulse.exe holds these libraries, whose makers ask that their words go with it.\n'
  printf 'SQLite is in the public domain and asks for nothing.\n\n\n'
  local name
  for name in "$libraries"/licences/*; do licence "$(basename "$name")" "$name"; done
  licence librdkafka "$rdkafka/LICENSES.txt"
  # Of Boost the licence alone: Debian's file names every file's owner, on 50,000 lines.
  licence Boost <(awk 'BEGIN { RS = "" } /^License: BSL-1.0\n/' /usr/share/doc/libboost1.81-dev/copyright)
  local -A debian=([CLI11]=libcli11-dev [fmt]=libfmt-dev [spdlog]=libspdlog-dev
    [toml++]=libtomlplusplus-dev [xxHash]=libxxhash-dev [zlib]=libz-mingw-w64-dev
    ["mingw-w64, GCC's run-time libraries"]=gcc-mingw-w64-base)
  for name in "${!debian[@]}"; do licence "$name" "/usr/share/doc/${debian[$name]}/copyright"; done
  for name in $(python3 -c 'import json; print(*json.load(open("web/package.json"))["dependencies"])'); do
    licence "$name (the page)" "$(find "web/node_modules/$name" -maxdepth 1 -iname 'licen[cs]e*' | head -n 1)"
  done
}

rm -rf "$package"
mkdir -p "$files"
x86_64-w64-mingw32-strip -o "$files/gpulse.exe" build/windows/gpulse.exe
sed "s/@VERSION@/$version/" deploy/windows/README.txt | sed 's/$/\r/' >"$files/README.txt"
sed 's/$/\r/' LICENSE >"$files/LICENSE.txt"
third_party | sed 's/\r*$/\r/' >"$files/THIRD-PARTY.txt"
(cd "$package" && python3 -m zipfile -c "gpulse-$version-windows.zip" "gpulse-$version")
python3 deploy/windows/make_icon.py "$files/gpulse.ico"
makensis -V2 -DVERSION="$version" -DFILES="$PWD/$files" -DOUTPUT="$PWD/$package/gpulse-$version-setup.exe" \
  deploy/windows/gpulse.nsi
rm "$files/gpulse.ico"
(cd "$package" && for file in *.zip *.exe; do
  printf '%s: %.1f MB, SHA-256 %s\n' "$file" "$(stat -c %s "$file" | awk '{ print $1 / 1e6 }')" \
    "$(sha256sum "$file" | cut -c 1-64)"
done)
