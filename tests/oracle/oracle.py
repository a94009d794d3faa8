#!/usr/bin/env python3
"""Reads a GPU-Z log the plain and slow way, and prints what `gpulse inspect --json` must print.

Written from the description of the format and of the results, not from the program, so that the two
can be held against each other (compare.py). Nothing but Python's standard library.

    oracle.py [--timezone ZONE] [--windows] [--alerts] LOG...

With --windows and --alerts it prints, for each log, the 30 s windows and the alerts by the default
rules instead, as they stand once the whole log has been read.
"""
import argparse
import csv
import datetime
import json
import math
import pathlib
import re
import sys
import zoneinfo
from fractions import Fraction

CATALOGUE = pathlib.Path(__file__).resolve().parents[2] / "src" / "telemetry" / "metrics.csv"

RESERVED = set("time timestamp date host gpu session source offset other".split()) | {
    "high_temp_alert", "high_cpu_temp_alert", "high_power_alert", "high_load_alert"}

SESSION_STEP = 300  # seconds; a longer step begins a session
WINDOW = 30_000_000  # microseconds

# metric, limit, release, seconds, severity
RULES = [
    ("gpu_temperature", 85, 82, 10, "warning"),
    ("hot_spot_temperature", 100, 95, 30, "critical"),
    ("memory_temperature", 100, 95, 30, "critical"),
    ("hottest_memory_chip_temperature", 100, 95, 30, "critical"),
    ("cpu_temperature", 80, 78, 10, "warning"),
    ("board_power_draw", 300, 290, 10, "warning"),
    ("gpu_load", 95, 90, 60, "info"),
]


# ---------------------------------------------------------------- names

def split_title(title):
    """b'GPU Temperature [\\xb0C]' -> (b'GPU Temperature', '°C'), however the degree sign is written."""
    title = title.strip(b" \t")
    unit = b""
    if title.endswith(b"]") and b"[" in title:
        at = title.rindex(b"[")
        unit = title[at + 1:-1].strip(b" \t")
        title = title[:at]
    return title.strip(b" \t"), read_unit(unit)


def ascii_of(title):
    return bytes(c for c in title if c < 0x80).decode().strip(" \t")


def read_unit(unit):
    rest = bytes(c for c in unit if c < 0x80)
    # The degree sign is one byte, two bytes, fused with the C by an East Asian code page, lost in saving,
    # or missing.
    if rest.lstrip(b"?") == b"C" or (rest == b"" and unit != b""):
        return "°C"
    try:
        return unit.decode("utf-8")
    except UnicodeDecodeError:
        return unit.decode("latin-1")


def load_catalogue():
    titles = {}
    with open(CATALOGUE, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for title in row["gpuz_columns"].split("|"):
                part, unit = split_title(title.encode("utf-8"))
                titles.setdefault(ascii_of(part), {})[unit] = row["name"]
    return titles


TITLES = load_catalogue()


def snake(text):
    return re.sub(r"[^a-z0-9]+", "_", text.replace("#", "").lower()).strip("_")


def name_column(title):
    part, unit = split_title(title)
    known = TITLES.get(ascii_of(part), {})
    if unit in known:
        return known[unit], unit
    name = snake(part.decode("latin-1"))
    if known and snake(unit):
        # The first of its names: a title with several is one of a percentage and a speed.
        name = next(iter(known.values())) + "_" + snake(unit)
    if name in RESERVED or not name or name[0].isdigit():
        name = ("sensor_" + name).strip("_")
    return name, unit


def name_columns(titles):
    columns = []
    taken = set()
    for title in titles:
        name, unit = name_column(title)
        unique, number = name, 2
        while unique in taken:
            unique = f"{name}_{number}"
            number += 1
        taken.add(unique)
        columns.append((unique, unit))
    return columns


# ---------------------------------------------------------------- lines

def split_cells(line):
    """The cells, and whether the line has its closing comma."""
    cells = [cell.strip(b" \t") for cell in line.split(b",")]
    if len(cells) > 1 and cells[-1] == b"":
        return cells[:-1], True
    return cells, False


def read_date(cell):
    if not re.fullmatch(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", cell):
        return None
    try:
        return datetime.datetime.strptime(cell.decode(), "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return None


def read_reading(cell):
    """(count, decimals) of a decimal number, else None: the reading is absent."""
    match = re.fullmatch(rb"([+-]?)(\d+)(?:\.(\d+))?", cell)
    if not match:
        return None
    decimals = match[3] or b""
    count = int(match[2] + decimals)
    return (-count if match[1] == b"-" else count), len(decimals)


def number_of(reading):
    count, decimals = reading
    return float(Fraction(count, 10 ** decimals))


def is_whole(text, columns):
    """Whether this is a row or heading that needs nothing behind it."""
    cells, closed = split_cells(text)
    return closed and (cells[0] == b"Date" or why_no_row(cells, columns) is None)


class Lines:
    """All lines as (offset, raw bytes, text, has its end), without line ends, NULs and blank lines.

    NULs are where a lost page was. A line with NULs is read without them, unless its first or last piece
    is a whole row or heading: then each piece is a line of its own. That depends on the heading in
    force, so `columns` is to be kept up by whoever goes through the lines.
    """

    def __init__(self, data):
        self.data = data
        self.columns = None

    def __iter__(self):
        at = 0
        while at < len(self.data):
            # Also where logs were put behind one another.
            at += len(re.match(rb"(\0|\xef\xbb\xbf)*", self.data[at:at + 4096])[0])
            end = self.data.find(b"\n", at)
            whole = end >= 0
            if not whole:
                end = len(self.data)
            line = self.data[at:end].rstrip(b"\0")
            if line.endswith(b"\r"):  # also where the line feed is lost or has not come yet
                line = line[:-1]
            for start, stop, text, last in self.pieces(line):
                # A blank line is nothing, but blanks at the log's end are a row or heading cut off.
                if text.strip(b" \t") != b"" or (last and not whole):
                    yield at + start, line[start:stop], text, whole and last
            at = end + 1

    def pieces(self, line):
        """(from, to, text, whether it ends where the line ends) of each."""
        found = [(match.start(), match.end(), match[0].removesuffix(b"\r"))
                 for match in re.finditer(rb"[^\0]+", line)]
        if not found:
            return []
        if is_whole(found[0][2], self.columns) or is_whole(found[-1][2], self.columns):
            return [(start, stop, text, piece == len(found) - 1)
                    for piece, (start, stop, text) in enumerate(found)]
        return [(found[0][0], found[-1][1], b"".join(text for _, _, text in found), True)]


# ---------------------------------------------------------------- time

class Clock:
    """From local times in file order to UTC microseconds that are all different."""

    def __init__(self, zone):
        self.zone = zone
        self.last_local = None  # of the row before, while it lay in a repeated hour
        self.second_fold = False
        self.last_second = None
        self.largest = -math.inf  # of the seconds lived before the last step back
        self.base = 0  # steps back so far
        self.rank = 0

    def utc_second(self, local):
        first = local.replace(tzinfo=self.zone, fold=0).utcoffset()
        second = local.replace(tzinfo=self.zone, fold=1).utcoffset()
        offset = first
        if first > second:  # the hour is lived twice; in a skipped one the first is the smaller
            overlap = first - second
            step_back = min(datetime.timedelta(minutes=30), overlap / 2)
            same_overlap = (self.last_local is not None
                            and abs(local - self.last_local) < 2 * overlap)
            if not same_overlap:
                self.second_fold = False
            elif self.last_local - local >= step_back:
                self.second_fold = True
            if self.second_fold:
                offset = second
            self.last_local = local
        else:
            self.last_local = None
            self.second_fold = False
        return round((local - offset - datetime.datetime(1970, 1, 1)).total_seconds())

    def take(self, local):
        """(UTC in microseconds, whether a session begins here)."""
        second = self.utc_second(local)
        begins = self.last_second is None
        self.rank = self.rank + 1 if second == self.last_second else 0
        if self.last_second is not None:
            if second < self.last_second:
                self.base = min(self.base + 1, 999)
                self.largest = max(self.largest, self.last_second)
                begins = True
            elif second - self.last_second > SESSION_STEP:
                begins = True
        milliseconds = self.base if second <= self.largest else 0
        self.last_second = second
        return second * 1_000_000 + milliseconds * 1000 + self.rank, begins


def rfc3339(microseconds):
    seconds, rest = divmod(microseconds, 1_000_000)
    time = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    return time.isoformat(timespec="seconds") + f".{rest:06d}Z"


# ---------------------------------------------------------------- the log

def why_no_row(cells, columns):
    if columns is None:
        return "no header before it"
    if read_date(cells[0]) is None:
        return "not a row: the date is unreadable"
    if len(cells) != len(columns) + 1:
        return f"{len(cells)} cells where the header has {len(columns) + 1}"
    return None


def read_log(path, zone):
    """The log's bytes, sessions (each with its rows and their offsets) and set-aside lines."""
    data = pathlib.Path(path).read_bytes()
    clock = Clock(zone)
    lines = Lines(data)
    header_came = False
    sessions = []
    set_aside = []
    for offset, raw, text, whole in lines:
        cells, closed = split_cells(text)
        is_header = cells[0] == b"Date"
        reason = None if is_header else why_no_row(cells, lines.columns)
        if not whole and not closed:
            reason = "torn: the line has no end"
        if reason:
            set_aside.append({"offset": offset, "bytes": len(raw), "reason": reason})
        elif is_header:
            lines.columns = name_columns(cells[1:])
            header_came = True
        else:
            time, begins = clock.take(read_date(cells[0]))
            if begins or header_came:
                sessions.append({"session": offset, "columns": lines.columns, "rows": [], "offsets": []})
            header_came = False
            sessions[-1]["rows"].append((time, [read_reading(cell) for cell in cells[1:]]))
            sessions[-1]["offsets"].append(offset)
    return len(data), sessions, set_aside


# ---------------------------------------------------------------- results

def exact_sum(readings, power):
    """Sum of reading^power as a fraction."""
    decimals = max(d for _, d in readings)
    total = sum((count * 10 ** (decimals - d)) ** power for count, d in readings)
    return Fraction(total, 10 ** (decimals * power))


def percentile(values, share):
    at = (len(values) - 1) * share
    below = math.floor(at)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (at - below)


def statistics(unit, rows, readings):
    result = {"unit": unit, "rows": rows, "absent": rows - len(readings), "count": len(readings)}
    n = len(readings)
    if n == 0:
        return result | dict.fromkeys(("min", "max", "mean", "stddev", "p50", "p95", "p99"))
    values = sorted(number_of(reading) for reading in readings)
    mean = exact_sum(readings, 1) / n
    stddev = None
    if n > 1:
        stddev = math.sqrt((exact_sum(readings, 2) - n * mean * mean) / (n - 1))
    return result | {"min": values[0], "max": values[-1], "mean": float(mean), "stddev": stddev,
                     "p50": percentile(values, 0.50), "p95": percentile(values, 0.95),
                     "p99": percentile(values, 0.99)}


def inspect(path, zone):
    size, sessions, set_aside = read_log(path, zone)
    units = {}
    rows = {}
    readings = {}
    for session in sessions:
        for at, (name, unit) in enumerate(session["columns"]):
            units.setdefault(name, unit)
            rows[name] = rows.get(name, 0) + len(session["rows"])
            column = [cells[at] for _, cells in session["rows"]]
            readings.setdefault(name, []).extend(r for r in column if r is not None)
    return {
        "file": path,
        "bytes": size,
        "source": "a hash of the program's own" if sessions else None,
        "rows": sum(len(session["rows"]) for session in sessions),
        "set_aside": len(set_aside),
        "set_aside_detail": set_aside,
        "sessions": [{"session": session["session"],
                      "first": rfc3339(session["rows"][0][0]),
                      "last": rfc3339(session["rows"][-1][0]),
                      "rows": len(session["rows"]),
                      "columns": [name for name, _ in session["columns"]]}
                     for session in sessions],
        "metrics": {name: statistics(units[name], rows[name], readings[name]) for name in units},
    }


def windows(sessions):
    result = []
    for session in sessions:
        by_begin = {}
        for time, cells in session["rows"]:
            by_begin.setdefault(time // WINDOW * WINDOW, []).append(cells)
        for begin in sorted(by_begin):
            metrics = {}
            for at, (name, _) in enumerate(session["columns"]):
                readings = [row[at] for row in by_begin[begin] if row[at] is not None]
                values = [number_of(reading) for reading in readings]
                metrics[name] = {
                    "count": len(values),
                    "mean": float(exact_sum(readings, 1) / len(values)) if values else None,
                    "min": min(values, default=None),
                    "max": max(values, default=None)}
            result.append({"session": session["session"], "from": rfc3339(begin),
                           "to": rfc3339(begin + WINDOW), "rows": len(by_begin[begin]),
                           "final": True, "metrics": metrics})
    return result


def alerts_of_rule(session, rule):
    metric, limit, release, hold, severity = rule
    names = [name for name, _ in session["columns"]]
    if metric not in names:
        return
    at = names.index(metric)
    held = []  # (time, value) since the first one beyond the limit
    firing = False

    def alert(ended, reason):
        peak = max(value for _, value in held)
        peak_at = next(time for time, value in held if value == peak)
        return {"session": session["session"], "rule": f"{metric} > {limit}", "metric": metric,
                "limit": limit, "release": release, "severity": severity, "state": "ended",
                "began": rfc3339(held[0][0]), "ended": rfc3339(ended), "end_reason": reason,
                "seconds": (ended - held[0][0]) / 1e6, "peak": peak, "peak_at": rfc3339(peak_at)}

    for time, cells in session["rows"]:
        if cells[at] is None:
            continue
        value = number_of(cells[at])
        if firing and value < release:
            yield alert(time, "released")
            held, firing = [], False
        elif firing or value > limit:
            held.append((time, value))
            firing = firing or time - held[0][0] >= hold * 1_000_000
        else:
            held = []
    if firing:
        yield alert(session["rows"][-1][0], "session ended")


def alerts(sessions):
    result = [alert for session in sessions for rule in RULES
              for alert in alerts_of_rule(session, rule)]
    return sorted(result, key=lambda alert: (alert["session"], alert["began"], alert["rule"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("logs", nargs="+", metavar="LOG")
    parser.add_argument("--timezone", default="UTC")
    parser.add_argument("--windows", action="store_true")
    parser.add_argument("--alerts", action="store_true")
    options = parser.parse_args()
    zone = zoneinfo.ZoneInfo(options.timezone)
    results = []
    for path in options.logs:
        if not (options.windows or options.alerts):
            results.append(inspect(path, zone))
            continue
        _, sessions, _ = read_log(path, zone)
        result = {"file": path}
        if options.windows:
            result["windows"] = windows(sessions)
        if options.alerts:
            result["alerts"] = alerts(sessions)
        results.append(result)
    json.dump(results, sys.stdout, ensure_ascii=False, indent=1)
    print()


if __name__ == "__main__":
    main()
