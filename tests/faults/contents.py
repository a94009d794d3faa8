"""What a store holds, from three independent sides: the ledger's own tables, read as they are described
in src/store/row_codec.h and ledger_schema.h; the HTTP API; and, as it should be, a slow reading of the
log by the oracle. All three in one form, so that they can be compared for equality.
"""
import collections
import pathlib
import sqlite3
import struct
import sys
import urllib.parse
import zoneinfo

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "oracle"))
import oracle  # noqa: E402

PLACES = 9  # readings are compared as whole numbers of 10^-9


def scaled(reading):
    """A reading of the oracle's, (count, decimals), exactly; None when absent."""
    if reading is None:
        return None
    count, decimals = reading
    return count * 10 ** (PLACES - decimals)


def expected(path, zone):
    """By the oracle."""
    size, sessions, set_aside = oracle.read_log(path, zoneinfo.ZoneInfo(zone))
    rows = {}
    absent = collections.Counter()
    absent_times = []
    steps = []
    for session in sessions:
        rows[session["session"]] = [
            (time, offset, tuple(scaled(reading) for reading in cells))
            for (time, cells), offset in zip(session["rows"], session["offsets"])]
        times = [time for time, _ in session["rows"]]
        steps += [(after - before, after) for before, after in zip(times, times[1:])]
        for time, cells in session["rows"]:
            missing = cells.count(None)
            absent["all"] += missing
            absent_times += [time] if missing else []
    times = [time for session in sessions for time, _ in session["rows"]]
    longest = max(steps, default=(0, None), key=lambda step: step[0])
    return {
        "source": {
            "position": size, "rows": len(times), "sessions": len(sessions),
            "set_aside": len(set_aside), "absent": absent["all"],
            "absent_first": min(absent_times, default=None),
            "absent_last": max(absent_times, default=None),
            "first": min(times), "last": max(times),
            "longest_step": longest[0], "longest_step_at": longest[1] if longest[0] else None},
        "sessions": [(session["session"], session["rows"][0][0], session["rows"][-1][0],
                      len(session["rows"]), tuple(session["columns"])) for session in sessions],
        "rows": rows,
        "set_aside": sorted((line["offset"], line["bytes"]) for line in set_aside),
        "windows": [(w["session"], w["from"], w["to"], w["rows"], w["final"],
                     tuple((name, m["count"]) + ((m["mean"], m["min"], m["max"]) if m["count"] else ())
                           for name, m in w["metrics"].items()))
                    for w in oracle.windows(sessions)],
        "alerts": sorted((a["session"], a["rule"], a["began"], a["ended"], a["end_reason"], a["peak"],
                          a["peak_at"], a["severity"]) for a in oracle.alerts(sessions)),
    }


# ---------------------------------------------------------------- the ledger's bytes

def take_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at
        shift += 7


def decode_row(data, decimals):
    """As row_codec.h says."""
    at = 1
    bitmap = None
    if data[0] != 0:
        at += (len(decimals) + 7) // 8
        bitmap = data[1:at]
    readings = []
    for column, places in enumerate(decimals):
        if bitmap is not None and not bitmap[column // 8] >> column % 8 & 1:
            readings.append(None)
        elif places < 0:
            readings.append(struct.unpack_from("<d", data, at)[0])
            at += 8
        else:
            count, at = take_varint(data, at)
            readings.append(count * 10 ** (PLACES - places))
    if at != len(data):
        raise AssertionError(f"a row has {len(data) - at} bytes too many")
    return tuple(readings)


def decode_window(data, names):
    metrics = []
    at = 0
    for name in names:
        form = data[at]
        at += 1
        if form == 0:
            metrics.append((name, 0))
            continue
        count, mean = struct.unpack_from("<Id", data, at)
        at += 12
        low = high = mean
        if form == 2:
            low, high = struct.unpack_from("<dd", data, at)
            at += 16
        metrics.append((name, count, mean, low, high))
    return tuple(metrics)


def parse_format(text):
    columns = [line.split("\t") for line in text.splitlines()]
    return [(name, unit) for name, unit, _ in columns], [int(decimals) for _, _, decimals in columns]


def in_ledger(data):
    """By the ledger itself, which a killed program may have left: one entry a source."""
    ledger = sqlite3.connect(pathlib.Path(data) / "ledger.db")
    ledger.row_factory = sqlite3.Row
    try:
        assert ledger.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        orphans = ledger.execute(
            "SELECT (SELECT count(*) FROM samples WHERE session NOT IN (SELECT id FROM sessions)) + "
            "(SELECT count(*) FROM windows WHERE session NOT IN (SELECT id FROM sessions)) + "
            "(SELECT count(*) FROM alerts WHERE session NOT IN (SELECT id FROM sessions)) + "
            "(SELECT count(*) FROM set_aside WHERE source NOT IN (SELECT id FROM sources))").fetchone()[0]
        assert orphans == 0, f"{orphans} rows belong to nothing"
        formats = {row["id"]: parse_format(row["columns"])
                   for row in ledger.execute("SELECT * FROM formats")}
        return {source["source"]: source_in_ledger(ledger, source, formats)
                for source in ledger.execute("SELECT * FROM sources").fetchall()}
    finally:
        ledger.close()


def source_in_ledger(ledger, source, formats):
    sessions = ledger.execute("SELECT * FROM sessions WHERE source=? ORDER BY session",
                              (source["id"],)).fetchall()
    rows, windows, alerts = {}, [], []
    for session in sessions:
        columns, _ = formats[session["format"]]
        names = [name for name, _ in columns]
        samples = ledger.execute(
            "SELECT time, offset, format, readings FROM samples WHERE session=? ORDER BY time",
            (session["id"],))
        rows[session["session"]] = [(time, offset, decode_row(readings, formats[form][1]))
                                    for time, offset, form, readings in samples]
        windows += [(session["session"], oracle.rfc3339(w["begin"]), oracle.rfc3339(w["end"]),
                     w["rows"], bool(w["final"]), decode_window(w["metrics"], names))
                    for w in ledger.execute("SELECT * FROM windows WHERE session=? ORDER BY begin",
                                            (session["id"],))]
        alerts += [(session["session"], f"{a['metric']} {'>' if a['high'] else '<'} {a['limit_']:g}",
                    oracle.rfc3339(a["began"]), a["ended"] and oracle.rfc3339(a["ended"]),
                    a["end_reason"], a["peak"], oracle.rfc3339(a["peak_at"]), a["severity"])
                   for a in ledger.execute("SELECT * FROM alerts WHERE session=?", (session["id"],))]
    counters = ("position", "rows", "sessions", "set_aside", "absent", "absent_first", "absent_last",
                "first", "last", "longest_step", "longest_step_at")
    return {
        "source": {name: source[name] for name in counters},
        "sessions": [(s["session"], s["first"], s["last"], s["rows"], tuple(formats[s["format"]][0]))
                     for s in sessions],
        "rows": rows,
        "set_aside": [(offset, length) for offset, length in ledger.execute(
            "SELECT offset, bytes FROM set_aside WHERE source=? ORDER BY offset", (source["id"],))],
        "windows": windows,
        "alerts": sorted(alerts),
    }


# ---------------------------------------------------------------- the API

def served(program):
    """All that the API says of a store with one device, less what depends on the hour."""
    devices = [{key: value for key, value in device.items() if key not in ("last_arrival", "state")}
               for device in program.get("devices")]
    sessions = program.get("sessions")
    names = ",".join(metric["name"] for metric in devices[0]["metrics"])
    rows = []
    for session in sessions:
        query = urllib.parse.urlencode({"metric": names, "from": session["first"],
                                        "to": session["last"], "points": 20000})
        rows.append(program.get(f"query?{query}"))
    return {"devices": devices, "sessions": sessions, "rows": rows,
            "sources": program.get("sources"),
            "windows": program.get("windows?limit=10000"),
            "alerts": program.get("alerts?limit=10000")}


def first_difference(have, want):
    """In words; None when there is none."""
    for part, wanted in want.items():
        found = have[part]
        if found == wanted:
            continue
        if isinstance(wanted, dict):
            for key in sorted(set(found) | set(wanted)):
                if found.get(key) != wanted.get(key):
                    return f"{part} {key}: {difference(found.get(key), wanted.get(key))}"
        return f"{part}: {difference(found, wanted)}"
    return None


def difference(found, wanted):
    if isinstance(found, list) and isinstance(wanted, list):
        for at, (left, right) in enumerate(zip(found, wanted)):
            if left != right:
                return f"entry {at} of {len(wanted)}: {difference(left, right)}"
        return f"{len(found)} entries where there should be {len(wanted)}"
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = [key for key in wanted if found.get(key) != wanted[key]]
        if keys:
            return f"{keys[0]}: {difference(found.get(keys[0]), wanted[keys[0]])}"
    if isinstance(found, tuple) and isinstance(wanted, tuple) and len(found) == len(wanted):
        for at, (left, right) in enumerate(zip(found, wanted)):
            if left != right:
                return f"[{at}] of {str(wanted)[:60]}: {difference(left, right)}"
    return f"is {str(found)[:300]}, should be {str(wanted)[:300]}"
