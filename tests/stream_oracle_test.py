#!/usr/bin/env python3
"""Holds the program's windows and alerts against the oracle's: on made-up logs whose readings wander
about the default rules' limits, and on the real logs in the folder that GPULSE_REAL_LOGS names.

    stream_oracle_test.py STREAM_PROBE
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest
import zoneinfo

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "oracle"))
import compare  # noqa: E402
import oracle  # noqa: E402

PROBE = "stream_probe"
REAL_LOGS = os.environ.get("GPULSE_REAL_LOGS", "")
NO_REAL_LOGS = "the real logs: GPULSE_REAL_LOGS names no folder"

# Title, decimals, where its readings wander about.
COLUMNS = [(b"GPU Temperature [\xb0C]", 1, 84), (b"Hot Spot [\xb0C]", 1, 99),
           (b"Memory Temperature [\xb0C]", 1, 98), (b"CPU Temperature [\xb0C]", 1, 79),
           (b"Board Power Draw [W]", 1, 298), (b"GPU Load [%]", 0, 95), (b"GPU Voltage [V]", 4, 1)]


def hot_log(dice, rows):
    header = b"        Date        , " + b" , ".join(title for title, _, _ in COLUMNS) + b" ,\r\n"
    lines = [header]
    levels = [float(middle) for _, _, middle in COLUMNS]
    second = dice.randrange(40_000)
    for _ in range(rows):
        chance = dice.random()
        if chance < 0.002:
            lines.append(header)
        elif chance < 0.006:
            second += dice.choice((-2000, 301, 200))
        second = max(0, second + dice.choice((0, 1, 1, 1, 1, 1, 1, 1, 2)))
        cells = []
        for at, (_, decimals, middle) in enumerate(COLUMNS):
            levels[at] += dice.uniform(-1, 1) * middle / 150 + (middle - levels[at]) / 40
            cells.append(b"-" if dice.random() < 0.01 else b"%.*f" % (decimals, levels[at]))
        lines.append(b"2024-10-27 %02d:%02d:%02d , " % (second // 3600 % 24, second // 60 % 60, second % 60)
                     + b" , ".join(cells) + b" ,\r\n")
    return b"".join(lines)


class Streams(unittest.TestCase):
    def check(self, path, zone):
        _, sessions, _ = oracle.read_log(path, zoneinfo.ZoneInfo(zone))
        expected = {"windows": oracle.windows(sessions), "alerts": oracle.alerts(sessions)}
        for batch_rows in ("1", "7", "100000"):
            done = subprocess.run([PROBE, zone, batch_rows, path], capture_output=True, check=True,
                                  timeout=120)
            # Means are correctly rounded here and there, so nothing is allowed for.
            difference = compare.first_difference(json.loads(done.stdout), expected, relative=0)
            self.assertIsNone(difference, f"gpulse is the one, the oracle the other: {difference}")
        return expected

    def test_made_up_logs(self):
        alerts = []
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "log.txt")
            for seed in range(8):
                pathlib.Path(path).write_bytes(hot_log(random.Random(seed), 1500))
                with self.subTest(seed=seed):
                    alerts += self.check(path, "Europe/Berlin")["alerts"]
        self.assertEqual({alert["end_reason"] for alert in alerts}, {"released", "session ended"})
        self.assertEqual(len({alert["rule"] for alert in alerts}), 6)

    @unittest.skipUnless(os.path.isdir(REAL_LOGS), NO_REAL_LOGS)
    def test_real_logs(self):
        logs = sorted(pathlib.Path(REAL_LOGS).glob("*.txt"))
        self.assertTrue(logs, f"no log in {REAL_LOGS}")
        for path in logs:
            with self.subTest(log=path.name):
                self.assertTrue(self.check(str(path), "Europe/Berlin")["windows"])


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        PROBE = os.path.abspath(sys.argv.pop(1))
    if not os.path.isdir(REAL_LOGS):
        print(f"SKIPPED: {NO_REAL_LOGS}", file=sys.stderr)
    unittest.main()
