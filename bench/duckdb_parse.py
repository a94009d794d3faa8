#!/usr/bin/env python3
"""duckdb_parse.py LOG MODE: the rows and the largest reading of every column of a GPU-Z log, by DuckDB's
read_csv on one thread, and the CPU seconds that this took. Prints one JSON object.

MODE is one of
  trim   all cells as text, trimmed, cast; a cell that is no number is NULL: what gpulse's parser does
  typed  numbers are declared as such and rows with anything else are dropped: faster, and loses rows
"""

import json
import os
import sys

import duckdb

BLOCK = 1 << 20


def column_count(path):
    with open(path, "rb") as file:
        header = file.readline(BLOCK)
    # The header ends in a comma, so that the last cell is an empty one; the first is the date.
    return header.count(b",") + 1


def relation(path, count, kind):
    columns = {f"c{i}": "VARCHAR" if i in (0, count - 1) else kind for i in range(count)}
    return (
        f"read_csv('{path}', header = false, skip = 1, auto_detect = false, delim = ',', quote = '', "
        f"escape = '', null_padding = false, ignore_errors = {str(kind == 'DOUBLE').lower()}, "
        f"columns = {columns}, encoding = 'utf-8', strict_mode = false)"
    )


def query(path, mode):
    count = column_count(path)
    readings = [f"c{i}" for i in range(1, count - 1)]
    if mode == "trim":
        time = "max(try_cast(trim(c0) AS TIMESTAMP))"
        cells = [f"max(try_cast(trim({name}) AS DOUBLE))" for name in readings]
        return f"SELECT count(*), {time}, {', '.join(cells)} FROM {relation(path, count, 'VARCHAR')}"
    cells = [f"max({name})" for name in readings]
    time = "max(try_cast(trim(c0) AS TIMESTAMP))"
    return f"SELECT count(*), {time}, {', '.join(cells)} FROM {relation(path, count, 'DOUBLE')}"


def cpu_seconds():
    times = os.times()
    return times.user + times.system


def main():
    path, mode = sys.argv[1:]
    connection = duckdb.connect(config={
        "threads": 1,
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    })
    began = cpu_seconds()
    rows, _, *largest = connection.execute(query(path, mode)).fetchone()
    print(json.dumps({"cpu_seconds": cpu_seconds() - began, "rows": rows, "max": largest}))


main()
