#!/bin/sh
# fetch_tzdata.sh REQUIREMENTS: prints the paths of the wheels that REQUIREMENTS pins by version and
# SHA-256, a line each. They are kept in the user's cache, so that only the first configure needs the
# network.
set -eu

requirements=$1
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/gpulse

is_whole() {
  [ -f "$1" ] && echo "$2  $1" | sha256sum --check --status
}

# NAME VERSION HASH
fetch() {
  wheel=$cache/$1-$2.whl
  if ! is_whole "$wheel" "$3"; then
    mkdir -p "$cache"
    # A folder of its own and a rename: two configures at once don't see each other's half a file.
    part=$(mktemp -d "$cache/fetch.XXXXXX")
    trap 'rm -rf "$part"' EXIT
    echo "$1==$2 --hash=sha256:$3" >"$part/pinned.txt"
    if ! python3 -m pip download --quiet --disable-pip-version-check --no-deps \
        --only-binary=:all: --require-hashes --dest "$part" -r "$part/pinned.txt" >&2; then
      echo "cannot fetch the time-zone data ($1 $2) with pip; without a network, put that wheel at" \
        "$wheel" >&2
      exit 1
    fi
    mv -f "$part/$1"-*.whl "$wheel"
    rm -rf "$part"
  fi
  echo "$wheel"
}

sed -n 's/^\([a-z]*\)==\([^ ]*\) --hash=sha256:\([0-9a-f]\{64\}\)$/\1 \2 \3/p' "$requirements" |
  while read -r name version hash; do fetch "$name" "$version" "$hash" || exit 1; done
