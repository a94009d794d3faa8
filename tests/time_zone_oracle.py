#!/usr/bin/env python3
"""time_zone_oracle.py WHEEL PROBE: holds every zone of the program against Python's zoneinfo.

Both read the same data. UTC to offset: around each change of 1880 to 2040, in between, and some
centuries on. Wall clock to UTC: around each change, both folds, and at both ends of
the stretch for which the program says that its answer holds.
"""

import collections
import io
import subprocess
import sys
import tempfile
import zipfile
import zoneinfo
from datetime import datetime, timedelta

DAY = 86400
EPOCH = datetime(1970, 1, 1)
SECOND = timedelta(seconds=1)
UNIQUE, SKIPPED, REPEATED = range(3)


def seconds(year, month=1, day=1):
    return int((datetime(year, month, day) - EPOCH).total_seconds())


FIRST, LAST = seconds(2), seconds(9998)
NEAR = range(seconds(1880), seconds(2040), 20 * DAY)  # Morocco's Ramadan breaks last 5 weeks
FAR = [t for year in (2099, 2100, 2399, 2400, 9000)
       for t in range(seconds(year), seconds(year + 1), 13 * DAY + 3607)]


class Oracle:
    def __init__(self, tzif):
        self.zone = zoneinfo.ZoneInfo.from_file(io.BytesIO(tzif))
        self.epoch = EPOCH.replace(tzinfo=self.zone)

    def offset(self, utc):
        return self.zone.fromutc(self.epoch + timedelta(seconds=utc)).utcoffset() // SECOND

    def resolve(self, local):
        wall = self.epoch + timedelta(seconds=local)
        first = wall.utcoffset() // SECOND
        second = wall.replace(fold=1).utcoffset() // SECOND
        if first == second:
            return UNIQUE, local - first, local - first
        if first < second:
            return SKIPPED, local - first, local - first
        return REPEATED, local - first, local - second

    def changes(self):
        """The first second of each new offset."""
        before = self.offset(NEAR[0])
        for start in NEAR[:-1]:
            after = self.offset(start + NEAR.step)
            if after != before:
                low, high = start, start + NEAR.step
                while high - low > 1:
                    middle = (low + high) // 2
                    if self.offset(middle) == before:
                        low = middle
                    else:
                        high = middle
                yield high, before, after
            before = after


def questions(oracle):
    """(kind, time) pairs that this zone is asked."""
    asked = [("u", t) for t in (*NEAR[::10], *FAR)] + [("l", t) for t in FAR]
    for change, before, after in oracle.changes():
        asked += [("u", change + d) for d in (-1, 0)]
        low, high = sorted((change + before, change + after))
        asked += [("l", t + d) for t in (low, high) for d in (-DAY, -1, 0, 3600)]
        asked += [("l", (low + high) // 2)]
    return asked


def main():
    wheel, probe = sys.argv[1:]
    with zipfile.ZipFile(wheel) as archive:
        names = archive.read("tzdata/zones").decode().split()
        spellings = collections.defaultdict(list)
        for name in names:
            spellings[archive.read("tzdata/zoneinfo/" + name)].append(name)

    plan = []
    with tempfile.TemporaryFile("w+") as wanted, tempfile.TemporaryFile("w+") as answers:
        for tzif, aliases in spellings.items():
            for alias in aliases[1:]:  # the same bytes: that it is found is enough
                wanted.write(f"z {alias}\nu 0\n")
                plan.append((alias, None, ("u", 0)))
            oracle = Oracle(tzif)
            wanted.write(f"z {aliases[0]}\n")
            asked = questions(oracle)
            wanted.writelines(f"{kind} {time}\n" for kind, time in asked)
            plan += [(aliases[0], oracle, question) for question in asked]
        wanted.seek(0)
        subprocess.run([probe], stdin=wanted, stdout=answers, check=True)
        answers.seek(0)
        return check(plan, answers, len(names))


def check(plan, answers, zones):
    failures = 0
    kinds = collections.Counter()

    def hold(name, question, got, expected):
        nonlocal failures
        if got != expected:
            failures += 1
            if failures <= 20:
                print(f"{name} {question}: the program says {got}, zoneinfo {expected}")

    lines = answers.read().splitlines()
    if len(lines) != len(plan):
        sys.exit(f"{len(plan)} questions, {len(lines)} answers")
    for line, (name, oracle, (kind, time)) in zip(lines, plan):
        got = tuple(map(int, line.split()))
        if oracle is None:
            continue
        if kind == "u":
            hold(name, f"offset at {time}", got, (oracle.offset(time),))
            continue
        expected = oracle.resolve(time)
        kinds[expected[0]] += 1
        hold(name, f"wall clock {time}", got[:3], expected)
        same_from, same_until = got[3:]
        hold(name, f"wall clock {time}: within its stretch", same_from <= time < same_until, True)
        for edge in (max(same_from, FIRST), min(same_until, LAST) - 1):
            moved = tuple(t + edge - time for t in expected[1:])
            hold(name, f"wall clock {time}: same at {edge}", (expected[0], *moved),
                 oracle.resolve(edge))
    print(f"{zones} zones, {len(plan)} questions: wall clock {kinds[UNIQUE]} unique, "
          f"{kinds[SKIPPED]} skipped, {kinds[REPEATED]} repeated; {failures} failures")
    if min(kinds[k] for k in (UNIQUE, SKIPPED, REPEATED)) < 1000:
        sys.exit("too few questions to tell anything")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
