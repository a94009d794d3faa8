#!/usr/bin/env python3
"""make_icon.py OUTPUT.ico: draws the program's icon, a pulse on a dark tile, in the sizes that Windows
asks for. The same in every build, and no picture to be kept."""

import struct
import sys
import zlib

SIZES = (16, 24, 32, 48, 64, 256)
TILE = (16, 22, 30)
LINE = (82, 190, 128)
CORNER = 0.2
# In units of the tile: rest, a small rise, the beat, rest.
PULSE = ((0.12, 0.56), (0.32, 0.56), (0.42, 0.44), (0.50, 0.20), (0.58, 0.80), (0.68, 0.56), (0.88, 0.56))


def distance_to_segment(x, y, a, b):
    (ax, ay), (bx, by) = a, b
    dx, dy = bx - ax, by - ay
    t = max(0.0, min(1.0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)))
    return ((x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2) ** 0.5


def coverage(distance, size):
    """How much of a pixel lies within: 1 inside, 0 outside, a pixel's width between."""
    return max(0.0, min(1.0, 0.5 - distance * size))


def pixel(x, y, size):
    dx, dy = max(abs(x - 0.5) - 0.5 + CORNER, 0.0), max(abs(y - 0.5) - 0.5 + CORNER, 0.0)
    tile = coverage((dx * dx + dy * dy) ** 0.5 - CORNER, size)
    width = max(0.045, 0.9 / size)
    line = coverage(min(distance_to_segment(x, y, a, b) for a, b in zip(PULSE, PULSE[1:])) - width, size)
    colour = (round(t + (c - t) * line) for t, c in zip(TILE, LINE))
    return bytes((*colour, round(255 * tile)))


def png(size):
    rows = b"".join(
        b"\0" + b"".join(pixel((x + 0.5) / size, (y + 0.5) / size, size) for x in range(size))
        for y in range(size)
    )

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">2I5B", size, size, 8, 6, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9))
            + chunk(b"IEND", b""))


def main():
    pictures = [png(size) for size in SIZES]
    at = 6 + 16 * len(SIZES)
    directory = struct.pack("<3H", 0, 1, len(SIZES))
    for size, picture in zip(SIZES, pictures):
        # 256 is written as 0.
        directory += struct.pack("<4B2H2I", size % 256, size % 256, 0, 0, 1, 32, len(picture), at)
        at += len(picture)
    with open(sys.argv[1], "wb") as file:
        file.write(directory + b"".join(pictures))


if __name__ == "__main__":
    main()
