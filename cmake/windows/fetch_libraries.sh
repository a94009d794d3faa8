#!/bin/sh
# fetch_libraries.sh: prints the folder of the libraries that gpulse.exe links, with include/, lib/ and
# licences/.
#
# Debian has none of them for mingw-w64, but zlib. The sources come in the packages that Cargo.toml
# names; headers alone come from Debian's own, as links. Built once per user and content of this folder,
# into the cache: OpenSSL takes minutes.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
key=$(cat "$0" "$here/CMakeLists.txt" "$here/Cargo.toml" "$here/Cargo.lock" "$here/toolchain.cmake" |
  sha256sum | cut -c 1-12)
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/gpulse
built=$cache/windows-libraries-$key
jobs=$(nproc)

fail() {
  echo "the libraries for Windows: $1" >&2
  exit 1
}

say() { echo "for Windows, once: $1" >&2; }

# NAME COMMAND...: what it says goes into a log, whose end is shown when it fails.
step() {
  name=$1
  shift
  "$@" >"$part/$name.log" 2>&1 || {
    tail -n 20 "$part/$name.log" >&2
    fail "$name failed"
  }
}

# By cargo fetch and a copy: what cargo vendor leaves out of a package differs between versions of cargo.
fetch() {
  say "fetching sources"
  mkdir "$part/cargo" "$part/sources"
  cp "$here/Cargo.toml" "$here/Cargo.lock" "$part/cargo/"
  : >"$part/cargo/none.rs"
  step fetch cargo fetch --quiet --locked --manifest-path "$part/cargo/Cargo.toml"
  awk -F '"' '/^name = / { name = $2 } /^version = / { version = $2 } /^source = / { print name, version }' \
    "$part/cargo/Cargo.lock" >"$part/packages"
  while read -r name version; do
    for package in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"$name-$version"; do
      [ -d "$package" ] || fail "cargo fetched no $name-$version"
      cp -r "$package" "$part/sources/$name"
      break
    done
  done <"$part/packages"
}

# Without what neither TLS 1.2 and 1.3 nor SCRAM need: a fifth less to build and to carry. No configuration is
# read on the user's machine: its folder is one that any user there could make.
build_openssl() {
  say "building OpenSSL (some minutes)"
  mkdir "$part/openssl"
  cd "$part/openssl"
  step openssl-configure perl "$part/sources/openssl-src/openssl/Configure" mingw64 \
    --cross-compile-prefix=x86_64-w64-mingw32- --prefix=/gpulse --libdir=lib --openssldir=/gpulse/ssl \
    CC=gcc-posix CXX=g++-posix \
    no-shared no-tests no-docs no-apps no-module no-legacy no-dso no-quic no-dtls no-ml-kem no-ml-dsa \
    no-slh-dsa no-lms no-engine no-cms no-ct no-ts no-srp no-psk no-ocsp no-cmp no-http no-aria no-bf \
    no-camellia no-cast no-idea no-md4 no-mdc2 no-rc2 no-rc4 no-rmd160 no-seed no-siphash no-sm2 no-sm3 \
    no-sm4 no-whirlpool no-ec2m no-scrypt no-gost no-dsa no-argon2 no-tls1 no-tls1_1 no-ssl3 no-comp \
    no-ui-console no-autoload-config
  step openssl make -j"$jobs" build_libs
  step openssl-install make install_dev DESTDIR="$part/installed"
  mkdir -p "$part/whole"
  cp -r "$part/installed/gpulse/." "$part/whole"
  cd "$here"
}

build_others() {
  say "building SQLite, zstd, simdjson, libdeflate and GoogleTest"
  step configure env -u CFLAGS -u CXXFLAGS -u LDFLAGS cmake -G Ninja -S "$here" -B "$part/others" \
    -DCMAKE_TOOLCHAIN_FILE="$here/toolchain.cmake" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_INSTALL_PREFIX="$part/whole" -DCMAKE_INSTALL_LIBDIR=lib -DSOURCES="$part/sources"
  step build cmake --build "$part/others"
  step install cmake --install "$part/others"
}

# Never all of /usr/include: it has this machine's own headers, too.
link_headers() {
  for name in boost fmt spdlog CLI toml++ xxhash.h; do
    [ -e "/usr/include/$name" ] || fail "there is no /usr/include/$name; setup/setup.sh run installs it"
    ln -s "/usr/include/$name" "$part/whole/include/$name"
  done
}

# What has to go with the program.
keep_licences() {
  mkdir "$part/whole/licences"
  cp "$part/sources/openssl-src/openssl/LICENSE.txt" "$part/whole/licences/OpenSSL"
  cp "$part/sources/zstd-sys/zstd/LICENSE" "$part/whole/licences/zstd"
  cp "$part/sources/simdjson-sys/vendor/simdjson/LICENSE" "$part/whole/licences/simdjson"
  cp "$part/sources/libdeflate-sys/libdeflate/COPYING" "$part/whole/licences/libdeflate"
}

if [ ! -d "$built" ]; then
  mkdir -p "$cache"
  # A folder of its own and a rename: two configures at once don't see each other's half a build.
  part=$(mktemp -d "$cache/windows-libraries.XXXXXX")
  trap 'rm -rf "$part"' EXIT
  fetch
  build_openssl
  build_others
  link_headers
  keep_licences
  mv -T "$part/whole" "$built" 2>/dev/null || [ -d "$built" ] || fail "cannot write $built"
fi
echo "$built"
