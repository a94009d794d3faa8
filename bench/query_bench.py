#!/usr/bin/env python3
"""A day of seconds as a chart asks for it, each pixel column's minimum, maximum, mean and count: `GET query`
of a running gpulse against DuckDB over the same readings in memory, on one thread.

Both give the same columns, which is checked. They take turns; what counts is the median of the CPU time
of one query, in gpulse's case with the JSON and the HTTP around it.
"""

import argparse
import datetime
import math
import sys
import time

from common import (Server, WORK, cpu_seconds, generate, get_json, machine, median, print_table,
                    wait_until)

sys.path.insert(0, str(WORK / "python"))
import duckdb  # noqa: E402

START = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)
ROWS = 86_400
COLUMNS = 1200
POINTS_MAX = 10_000  # of one answer
METRICS = ("gpu_temperature", "gpu_load", "board_power_draw")
QUERIES = 20  # of one round


class Duckdb:
    def __init__(self, rows, first, last):
        """`rows`: (time in ms, reading of each metric)."""
        self.base = duckdb.connect(config={"threads": 1})
        readings = ", ".join(f"{name} DOUBLE" for name in METRICS)
        self.base.execute(f"CREATE TABLE rows (time BIGINT, {readings})")
        self.base.executemany(f"INSERT INTO rows VALUES (?{', ?' * len(METRICS)})", rows)
        columns = ", ".join(f"min({n}), max({n}), avg({n}), count({n})" for n in METRICS)
        self.sql = (f"SELECT least({COLUMNS - 1}, (time - {first}) * {COLUMNS} // ({last} - {first})) AS c, {columns} "
                    "FROM rows GROUP BY c ORDER BY c")

    def ask(self):
        return self.base.execute(self.sql).fetchall()


def all_rows(ask, first, last):
    """A few hours at a time, as raw as they are."""
    slice_ms = POINTS_MAX * 1000
    for begin in range(first, last + 1, slice_ms):
        answer = get_json(ask(begin, min(begin + slice_ms - 1, last), POINTS_MAX))
        yield from zip(answer["series"][0]["time"], *(series["mean"] for series in answer["series"]))


def check_equal(ours, theirs):
    for at, series in enumerate(ours["series"]):
        if len(series["time"]) != len(theirs):
            sys.exit(f"query_bench: {series['metric']}: {len(series['time'])} columns against DuckDB's {len(theirs)}")
        for column, row in enumerate(theirs):
            mine = [series[what][column] for what in ("min", "max", "mean", "count")]
            other = row[1 + 4 * at:5 + 4 * at]
            if not all(math.isclose(a, b, abs_tol=1e-6) for a, b in zip(mine, other, strict=True)):
                sys.exit(f"query_bench: {series['metric']}, column {column}: {mine} against DuckDB's {other}")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=9)
    arguments = options.parse_args()
    log = generate(WORK / "day.txt", ROWS, START, scenario="gaming")
    data = WORK / f"query-{time.time_ns()}"
    with Server(log, data) as server:
        wait_until("the log is read", lambda: server.rows() == ROWS)
        device = get_json(server.url + "/api/v1/devices")[0]
        first, last = (int(datetime.datetime.fromisoformat(device[end]).timestamp() * 1000) for end in ("first", "last"))

        def ask(begin, end, points):
            return (f"{server.url}/api/v1/query?host={device['host']}&gpu={device['gpu']}&metric={','.join(METRICS)}"
                    f"&from={begin}&to={end}&points={points}")

        theirs = Duckdb(list(all_rows(ask, first, last)), first, last)
        day = ask(first, last, COLUMNS)
        check_equal(get_json(day), theirs.ask())
        ours_cpu, theirs_cpu = [], []
        for _ in range(arguments.rounds):
            before = cpu_seconds(server.process.pid)
            for _ in range(QUERIES):
                get_json(day)
            ours_cpu.append((cpu_seconds(server.process.pid) - before) / QUERIES)
            before = time.process_time()
            for _ in range(QUERIES):
                theirs.ask()
            theirs_cpu.append((time.process_time() - before) / QUERIES)
    ours, others = median(ours_cpu), median(theirs_cpu)
    print_table(
        "A day in a chart",
        f"{ROWS:,} rows, {len(METRICS)} metrics, {COLUMNS} columns; CPU time of a query, median of {arguments.rounds} rounds "
        f"of {QUERIES} in turn. {machine()}.",
        ["", "CPU ms", "times gpulse"],
        [["gpulse, by HTTP, as JSON", f"{1000 * ours:.1f}", "1"],
         ["DuckDB 1.5.5, in memory, one thread, as Python's numbers", f"{1000 * others:.1f}", f"{others / ours:.1f}"]])


main()
