#!/usr/bin/env python3
"""pack_tzdata.py TZDATA_WHEEL TZLOCAL_WHEEL OUTPUT: packs every zone of a tzdata wheel, and what Windows
calls them, into one file.

Layout, integers little-endian 32 bits:
  "gptzpak2", number of names, number of Windows' names,
  per name, sorted: offset and size of the name, offset and size of its TZif data,
  per name of Windows, sorted: offset and size of it, offset and size of the name above that it stands for,
  the names, the data. Offsets count from the file's start; what is alike stands there once.
"""

import ast
import struct
import sys
import zipfile

MAGIC = b"gptzpak2"
FOLDER = "tzdata/zoneinfo/"
WINDOWS_NAMES = "tzlocal/windows_tz.py"


def read_zones(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.read("tzdata/zones").decode().split()
        return [(name, archive.read(FOLDER + name)) for name in sorted(names)]


def read_windows_names(wheel):
    """The table `win_tz = {"W. Europe Standard Time": "Europe/Berlin", ...}`, without running its file."""
    with zipfile.ZipFile(wheel) as archive:
        module = ast.parse(archive.read(WINDOWS_NAMES))
    for statement in module.body:
        if isinstance(statement, ast.Assign) and statement.targets[0].id == "win_tz":
            return sorted(ast.literal_eval(statement.value).items())
    sys.exit(f"{wheel}: {WINDOWS_NAMES} has no table win_tz")


def pack(zones, windows_names):
    index_size = len(MAGIC) + 8 + 16 * (len(zones) + len(windows_names))
    body = bytearray()
    places = {}

    def place(data):
        if data not in places:
            places[data] = index_size + len(body)
            body.extend(data)
        return places[data], len(data)

    pairs = [(name.encode(), data) for name, data in zones]
    pairs += [(name.encode(), zone.encode()) for name, zone in windows_names]
    keys = [place(key) for key, _ in pairs]
    values = [place(value) for _, value in pairs]
    index = bytearray(MAGIC + struct.pack("<2I", len(zones), len(windows_names)))
    for key, value in zip(keys, values):
        index += struct.pack("<4I", *key, *value)
    return bytes(index + body)


def main():
    tzdata_wheel, tzlocal_wheel, output = sys.argv[1:]
    zones = read_zones(tzdata_wheel)
    for name, data in zones:
        if not data.startswith(b"TZif"):
            sys.exit(f"{tzdata_wheel}: {name} is no TZif file")
    windows_names = read_windows_names(tzlocal_wheel)
    for name, zone in windows_names:
        if zone not in dict(zones):
            sys.exit(f"{tzlocal_wheel}: {name} stands for {zone}, which {tzdata_wheel} does not have")
    with open(output, "wb") as file:
        file.write(pack(zones, windows_names))


if __name__ == "__main__":
    main()
