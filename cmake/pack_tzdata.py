#!/usr/bin/env python3
"""pack_tzdata.py WHEEL OUTPUT: packs every zone of a tzdata wheel into one file.

Layout, integers little-endian 32 bits:
  "gptzpak1", number of names,
  per name, sorted: offset and size of the name, offset and size of its TZif data,
  the names, the data. Offsets count from the file's start; aliases share their data.
"""

import struct
import sys
import zipfile

MAGIC = b"gptzpak1"
FOLDER = "tzdata/zoneinfo/"


def read_zones(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.read("tzdata/zones").decode().split()
        return [(name, archive.read(FOLDER + name)) for name in sorted(names)]


def pack(zones):
    index_size = len(MAGIC) + 4 + 16 * len(zones)
    body = bytearray()
    places = {}

    def place(data):
        if data not in places:
            places[data] = index_size + len(body)
            body.extend(data)
        return places[data], len(data)

    name_places = [place(name.encode()) for name, _ in zones]
    data_places = [place(data) for _, data in zones]
    index = bytearray(MAGIC + struct.pack("<I", len(zones)))
    for name_place, data_place in zip(name_places, data_places):
        index += struct.pack("<4I", *name_place, *data_place)
    return bytes(index + body)


def main():
    wheel, output = sys.argv[1:]
    zones = read_zones(wheel)
    for name, data in zones:
        if not data.startswith(b"TZif"):
            sys.exit(f"{wheel}: {name} is no TZif file")
    with open(output, "wb") as file:
        file.write(pack(zones))


if __name__ == "__main__":
    main()
