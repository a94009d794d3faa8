#!/bin/sh
# fetch_tzdata.sh REQUIREMENTS: prints the path of the wheel that REQUIREMENTS pins by version and
# SHA-256. It is kept in the user's cache, so that only the first configure needs the network.
set -eu

requirements=$1
version=$(sed -n 's/^tzdata==\([^ ]*\) .*/\1/p' "$requirements")
hash=$(sed -n 's/.*--hash=sha256:\([0-9a-f]\{64\}\)$/\1/p' "$requirements")
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/gpulse
wheel=$cache/tzdata-$version.whl

is_whole() {
  [ -f "$1" ] && echo "$hash  $1" | sha256sum --check --status
}

if ! is_whole "$wheel"; then
  mkdir -p "$cache"
  # A folder of its own and a rename: two configures at once don't see each other's half a file.
  part=$(mktemp -d "$cache/fetch.XXXXXX")
  trap 'rm -rf "$part"' EXIT
  if ! python3 -m pip download --quiet --disable-pip-version-check --no-deps \
      --only-binary=:all: --require-hashes --dest "$part" -r "$requirements" >&2; then
    echo "cannot fetch the time-zone data (tzdata $version) with pip; without a network, put that" \
      "wheel at $wheel" >&2
    exit 1
  fi
  mv -f "$part"/tzdata-*.whl "$wheel"
fi
echo "$wheel"
