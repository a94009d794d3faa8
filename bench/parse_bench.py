#!/usr/bin/env python3
"""Reading a GPU-Z log to typed columns on one thread: gpulse's parser against DuckDB's read_csv.

Both give the row count and every column's largest reading, which must agree. They take turns; what
counts is the median of the CPU seconds, since other work on the machine touches wall time only.
"""

import argparse
import datetime
import json
import math
import os
import subprocess
import sys

from common import ROOT, WORK, generate, machine, median, print_table

DUCKDB = WORK / "python"
START = datetime.datetime(2025, 1, 1)


def sample(megabytes):
    """A generated log of at least that size, kept between runs."""
    path = WORK / f"parse-{megabytes}.txt"
    if not path.exists() or path.stat().st_size < megabytes * 10**6:
        per_row = generate(WORK / "probe.txt", 10_000, START).stat().st_size / 10_000
        generate(path, math.ceil(megabytes * 10**6 / per_row * 1.02), START)
    return path


def run(command):
    result = subprocess.run(list(map(str, command)), check=True, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(DUCKDB)})
    return json.loads(result.stdout)


def check_equal(ours, theirs):
    if ours["rows"] != theirs["rows"]:
        sys.exit(f"parse_bench: {ours['rows']} rows against DuckDB's {theirs['rows']}")
    for at, (mine, other) in enumerate(zip(ours["max"], theirs["max"], strict=True)):
        if mine != other:
            sys.exit(f"parse_bench: column {at + 1}: largest reading {mine} against DuckDB's {other}")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--megabytes", type=int, default=500)
    options.add_argument("--rounds", type=int, default=5)
    arguments = options.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    path = sample(arguments.megabytes)
    size = path.stat().st_size

    commands = {
        "gpulse": [ROOT / "build/release/bench/parse_driver", path],
        "trim": [sys.executable, ROOT / "bench/duckdb_parse.py", path, "trim"],
        "typed": [sys.executable, ROOT / "bench/duckdb_parse.py", path, "typed"],
    }
    results = {name: [] for name in commands}
    for _ in range(arguments.rounds):
        for name, command in commands.items():
            results[name].append(run(command))
    check_equal(results["gpulse"][0], results["trim"][0])

    cpu = {name: median([result["cpu_seconds"] for result in rounds]) for name, rounds in results.items()}
    rows = {name: rounds[0]["rows"] for name, rounds in results.items()}

    def row(title, name):
        return [title, f"{cpu[name]:.3f}", f"{size / 1e6 / cpu[name]:.0f}", f"{rows[name]:,}",
                "1" if name == "gpulse" else f"{cpu[name] / cpu['gpulse']:.1f}"]

    print_table(
        "Parsing",
        f"A generated log of {size / 1e6:.0f} MB in the page cache, to typed columns on one thread; "
        f"CPU seconds, median of {arguments.rounds} rounds in turn. Least ratio asked of the first two: 20 "
        f"(goal 40). {machine()}.",
        ["", "CPU s", "MB a CPU second", "rows", "times gpulse"],
        [row("gpulse", "gpulse"),
         row("DuckDB 1.5.5 read_csv, trim and cast", "trim"),
         row("DuckDB 1.5.5 read_csv, typed, drops rows with `-`", "typed")])


main()
