#!/usr/bin/env python3
"""Packs the files of a built page into one blob, plain and gzipped, for src/server/web_assets.cpp.

usage: pack_web.py FOLDER OUTPUT

The blob: "GPW1", the number of files, then per file path, content type, ETag, plain bytes and gzipped
bytes (empty where gzip does not make it smaller), each with its length in front. Numbers are 32 bits,
little endian. The same files give the same blob.
"""

import gzip
import hashlib
import pathlib
import struct
import sys

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


def field(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data


def pack_file(path: str, content: bytes) -> bytes:
    suffix = pathlib.PurePosixPath(path).suffix
    if suffix not in CONTENT_TYPES:
        sys.exit(f"pack_web.py: {path}: no content type is known for {suffix!r}; add it")
    small = gzip.compress(content, compresslevel=9, mtime=0)
    if len(small) >= len(content):
        small = b""
    tag = '"' + hashlib.sha256(content).hexdigest()[:20] + '"'
    return b"".join(
        field(part)
        for part in (path.encode(), CONTENT_TYPES[suffix].encode(), tag.encode(), content, small)
    )


def main() -> None:
    folder, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not (folder / "index.html").is_file():
        sys.exit(f"pack_web.py: {folder}: there is no index.html; was the page built?")
    blob = b"GPW1" + struct.pack("<I", len(files))
    for path in files:
        blob += pack_file("/" + path.relative_to(folder).as_posix(), path.read_bytes())
    output.write_bytes(blob)


if __name__ == "__main__":
    main()
