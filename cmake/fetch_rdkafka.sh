#!/bin/sh
# fetch_rdkafka.sh [TARGET CMAKE_OPTION...]: prints the folder of a static librdkafka, with include/ and
# lib/librdkafka.a. For another system than this one: TARGET is what tells builds for it apart, the
# options are how one is made.
#
# Debian 12's 2.0.2 cannot log in to Kafka 4 by SCRAM: it repeats its nonce, which 4.x refuses. The
# complete source of 2.12.0 comes in the npm package node-rdkafka. It is built once per user, version of
# this script and target, into the cache, and serves every build tree, with sanitizers and without.
set -eu

version=2.12.0
package=node-rdkafka-3.6.1
hash=148f7e7b65c510314c70762d8f1be052c8fe1fdf03a128e6c78083a729a57a30
key=$( (cat "$0" && echo "${1:-}") | sha256sum | cut -c 1-12)
[ $# = 0 ] || shift
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/gpulse
built=$cache/librdkafka-$version-$key

fail() {
  echo "librdkafka $version: $1" >&2
  exit 1
}

fetch() {
  tarball=$cache/$package.tgz
  if ! echo "$hash  $tarball" | sha256sum --check --status 2>/dev/null; then
    (cd "$part" && npm pack --silent "${package%-*}@${package##*-}" >npm.log 2>&1) ||
      fail "cannot fetch it with npm ($(tail -n 1 "$part/npm.log")); without a network, put $package.tgz at $tarball, \
or build against Debian's librdkafka-dev with -DGPULSE_SYSTEM_RDKAFKA=ON"
    echo "$hash  $part/$package.tgz" | sha256sum --check --status ||
      fail "$package.tgz is not the file that was pinned: its SHA-256 is another"
    mv -f "$part/$package.tgz" "$tarball"
  fi
  tar -xzf "$tarball" -C "$part" package/deps/librdkafka
}

# Upstream's CMake ties SCRAM to Cyrus SASL (Kerberos) on Linux; set apart, it needs OpenSSL only.
# POSIX threads instead of C11's: ThreadSanitizer knows them. And what CMake defines as 0 is defined,
# so an #ifdef would want curl. A flag of one bit takes "is a folder" as 0 on Windows.
build() {
  source=$part/package/deps/librdkafka
  sed -i 's/^    WITH_C11THREADS$/    IGNORED_C11THREADS/' \
    "$source/packaging/cmake/try_compile/rdkafka_setup.cmake"
  sed -i 's/^#ifdef WITH_OAUTHBEARER_OIDC$/#if WITH_OAUTHBEARER_OIDC/' "$source/src/rdkafka_conf.c"
  sed -i 's/\*is_dir = st.st_mode & S_IFDIR/*is_dir = !!(st.st_mode \& S_IFDIR)/' "$source/src/rd.h"
  env -u CFLAGS -u LDFLAGS cmake -G Ninja -S "$source" -B "$part/build" \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
    -DCMAKE_INSTALL_PREFIX="$part/whole" -DCMAKE_INSTALL_LIBDIR=lib \
    -DRDKAFKA_BUILD_STATIC=ON -DRDKAFKA_BUILD_EXAMPLES=OFF -DRDKAFKA_BUILD_TESTS=OFF \
    -DWITH_SSL=ON -DWITH_SASL=OFF -DWITH_SASL_SCRAM=ON -DWITH_ZLIB=ON -DWITH_ZSTD=ON \
    -DENABLE_LZ4_EXT=OFF -DWITH_CURL=OFF -DWITH_PLUGINS=OFF "$@" >"$part/cmake.log" 2>&1 &&
    cmake --build "$part/build" --target rdkafka >"$part/build.log" 2>&1 &&
    cmake --install "$part/build/src" >"$part/install.log" 2>&1 &&
    cp "$source/LICENSES.txt" "$part/whole/" && return
  tail -n 20 "$part"/*.log >&2
  fail "cannot build it; it needs libssl-dev, libzstd-dev and zlib1g-dev"
}

if [ ! -d "$built" ]; then
  mkdir -p "$cache"
  # A folder of its own and a rename: two configures at once don't see each other's half a build.
  part=$(mktemp -d "$cache/librdkafka.XXXXXX")
  trap 'rm -rf "$part"' EXIT
  fetch
  build "$@"
  mv -T "$part/whole" "$built" 2>/dev/null || [ -d "$built" ] || fail "cannot write $built"
fi
echo "$built"
