#!/usr/bin/env python3
"""gpulse verify against the ledger: all is well, then the ledger is damaged by hand, and just that is told. Beside the
program that holds the data folder, and while the log is being written.

    verify_command_test.py GPULSE
"""
import contextlib
import json
import os
import pathlib
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "faults"))
from harness import FaultTest, READ_TO_END  # noqa: E402
from program import ZONE  # noqa: E402

REAL_LOGS = sorted(pathlib.Path(os.environ.get("GPULSE_REAL_LOGS") or "/nowhere").glob("*.txt"))
FAULTS = ("missing", "different", "doubled", "foreign")


class VerifyTest(FaultTest):
    def setUp(self):
        super().setUp()
        self.log = self.folder / "GPU-Z Sensor Log.txt"
        self.data = self.folder / "data"

    def generate(self, rows=3000, **more):
        subprocess.run([self.gpulse, "generate", "--rows", str(rows), "--seed", "5", "--out", self.log,
                        *(f"--{name}={value}" for name, value in more.items())], check=True)
        return self.log.read_bytes().splitlines(keepends=True)

    def start_and_read(self, *arguments, log=None, timezone=ZONE):
        program = self.start(log or self.log, *arguments, timezone=timezone).connect()
        program.wait_to_say(READ_TO_END)
        return program

    def read(self, *arguments, **more):
        self.start_and_read(*arguments, **more).stop()

    def run_verify(self, *arguments, log=None, timezone=ZONE, **popen):
        return subprocess.run([self.gpulse, "verify", log or self.log, "--host", "rig", "--timezone", timezone, "--data", self.data,
                               *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False,
                              **popen)

    def verify(self, **more):
        """What it says of each source of the one log; the exit code agrees."""
        done = self.run_verify("--json", **more)
        answer = json.loads(done.stdout)
        (place,) = answer["places"]
        (log,) = place["logs"]
        faults = sum(source[fault] for source in log["sources"] for fault in FAULTS)
        self.assertEqual(done.returncode, 1 if faults else 0, done.stdout + done.stderr)
        self.assertEqual(answer["holds"], not faults)
        return log["sources"]

    def expect(self, source=None, **counts):
        """These counts, and no other faults; returns the findings."""
        (source,) = self.verify() if source is None else [source]
        told = {fault: source[fault] for fault in FAULTS if source[fault]}
        self.assertEqual(told, {fault: count for fault, count in counts.items() if fault in FAULTS}, source)
        for name, count in counts.items():
            self.assertEqual(source[name], count, source)
        return source["findings"]

    def change(self, sql, *values):
        with contextlib.closing(sqlite3.connect(self.data / "ledger.db")) as ledger, ledger:
            return ledger.execute(sql, values).fetchall()

    def row(self, number):
        """(session, time, offset) of a row in the ledger."""
        return self.change("SELECT session, time, offset FROM samples ORDER BY offset LIMIT 1 OFFSET ?", number)[0]

    def line_of(self, offset):
        return self.log.read_bytes()[:offset].count(b"\n") + 1


class AllIsWell(VerifyTest):
    def test_made_logs(self):
        for columns in ("nvidia", "amd", "intel", "old"):
            shutil.rmtree(self.data, ignore_errors=True)
            lines = self.generate(columns=columns, scenario="gaming,gaps,restarts")
            rows = sum(line[:2] == b"20" for line in lines)
            self.read()
            self.expect(rows=rows, found=rows)
            done = self.run_verify()
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("every row is there once, with the same readings", done.stdout)
            self.assertEqual(done.stderr, "")

    def test_real_logs(self):
        if not REAL_LOGS:
            self.skipTest("THE REAL LOGS ARE NOT THERE (GPULSE_REAL_LOGS): skipped")
        for log in REAL_LOGS:
            shutil.rmtree(self.data, ignore_errors=True)
            self.read(log=log)
            (source,) = self.verify(log=log)
            self.assertGreater(source["rows"], 0)
            self.expect(source, found=source["rows"])

    def test_columns_that_change_clocks_that_step_back_and_lines_that_are_no_rows(self):
        first = self.generate(rows=500, columns="nvidia")
        second = self.generate(rows=500, columns="amd")  # of the same hours: time steps back
        self.log.write_bytes(b"".join([*first, b"nonsense\r\n", *second, *second[1:9], second[9][: len(second[9]) // 2]]))
        self.read()
        self.expect(rows=1008, found=1008)

    def test_in_the_hour_that_a_clock_change_repeats(self):
        lines = self.generate(rows=20_000, start="2023-10-29T02:30:00")
        self.read()
        rows = sum(line[:2] == b"20" for line in lines)
        self.expect(rows=rows, found=rows)

    def test_beside_the_program_while_the_log_is_written(self):
        lines = self.generate(rows=2000)
        self.log.write_bytes(b"".join(lines[:1000]))
        self.start_and_read()
        cuts = random.Random(3)
        with open(self.log, "ab", buffering=0) as out:
            for line in lines[1000:]:
                cut = cuts.randrange(len(line))
                out.write(line[:cut])
                if cuts.random() < 0.02:
                    done = self.run_verify("--json")
                    (source,) = json.loads(done.stdout)["places"][0]["logs"][0]["sources"]
                    # What the program has not read within these milliseconds may be missing, at the end only.
                    self.assertEqual(sum(source[fault] for fault in FAULTS[1:]), 0, source)
                    self.assertLessEqual(len(source["findings"]), 1, source)
                out.write(line[cut:])
        self.programs[-1].wait(lambda: self.programs[-1].get("sources")[0]["bytes"] == self.log.stat().st_size, "the rest")
        self.expect(found=sum(line[:2] == b"20" for line in lines))
        self.programs[-1].stop()

    def test_a_log_rewritten_in_place(self):
        lines = self.generate(rows=600)
        self.read()
        self.log.write_bytes(b"".join(lines[:300] + lines[400:] + lines[400:]))
        self.read()
        (source,) = self.verify()
        self.assertTrue(source["source"].endswith("~2"), source)
        self.expect(source, found=source["rows"])
        self.assertIn("before it was rewritten", self.run_verify().stdout)

    def test_a_replay(self):
        self.generate(rows=600)
        program = self.start(self.log, "--replay", "max").connect()
        program.wait(lambda: program.get("sources") and program.get("sources")[0]["rows"] == 600, "the replay")
        program.stop()
        (source,) = self.verify()
        self.assertTrue(source["replay"])
        self.expect(source, found=600)


class Damage(VerifyTest):
    def setUp(self):
        super().setUp()
        self.generate()
        self.read()

    def test_a_row_is_gone(self):
        for number in (0, 1500, 2999):
            shutil.copytree(self.data, self.folder / "whole")
            session, time, offset = self.row(number)
            self.change("DELETE FROM samples WHERE session=? AND time=?", session, time)
            (finding,) = self.expect(missing=1, found=2999)
            self.assertEqual((finding["fault"], finding["offset"], finding["rows"]), ("missing", offset, 1))
            self.assertEqual(finding["line"], self.line_of(offset))
            shutil.rmtree(self.data)
            (self.folder / "whole").rename(self.data)
        self.expect(found=3000)

    def test_many_rows_are_gone(self):
        first, last = self.row(1000)[2], self.row(1099)[2]
        self.change("DELETE FROM samples WHERE offset BETWEEN ? AND ?", first, last)
        (finding,) = self.expect(missing=100, found=2900)
        self.assertEqual((finding["offset"], finding["last_offset"], finding["rows"]), (first, last, 100))
        done = self.run_verify()
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, rf"missing +at byte {first}, line {self.line_of(first)}, .*and 99 rows behind it")
        self.assertIn("the ledger has 100 faults", done.stderr)

    def test_readings_differ(self):
        session, time, offset = self.row(1500)
        other = self.row(1600)
        self.change("UPDATE samples SET readings=(SELECT readings FROM samples WHERE session=? AND time=?), format=(SELECT "
                    "format FROM samples WHERE session=? AND time=?) WHERE session=? AND time=?", *other[:2], *other[:2],
                    session, time)
        (finding,) = self.expect(different=1, found=3000)
        self.assertEqual(finding["offset"], offset)
        self.assertRegex(finding["what"], r"^[a-z0-9_]+ is \S+ there, \S+ in the log$")

    def test_a_row_has_another_time(self):
        session, time, offset = self.row(1500)
        for later in (1, 86_400_000_000):  # where it was, and behind all others
            self.change("UPDATE samples SET time=? WHERE offset=?", time + later, offset)
            (finding,) = self.expect(different=1, found=3000)
            self.assertEqual(finding["offset"], offset)
            self.assertIn("its time is ", finding["what"])

    def test_a_row_is_there_twice(self):
        session, time, offset = self.row(1500)
        for later in (1, 86_400_000_000):
            self.change("INSERT INTO samples SELECT session, ?, offset, format, readings FROM samples WHERE session=? AND time=?",
                        time + later, session, time)
            (finding,) = self.expect(doubled=1, found=3000)
            self.assertEqual(finding["offset"], offset)
            self.change("DELETE FROM samples WHERE session=? AND time=?", session, time + later)

    def test_a_row_that_the_log_does_not_have(self):
        session, time, offset = self.row(1500)
        self.change("INSERT INTO samples SELECT session, time+1, offset+1, format, readings FROM samples WHERE session=? AND time=?",
                    session, time)
        (finding,) = self.expect(foreign=1, found=3000)
        self.assertEqual(finding["offset"], offset + 1)
        end = self.log.stat().st_size
        self.change("INSERT INTO samples SELECT session, time+9000000000, ?, format, readings FROM samples WHERE session=? AND time=?",
                    end + 7, session, time)
        findings = self.expect(foreign=2, found=3000)
        self.assertEqual(findings[1]["what"], "the log is not that long")

    def test_each_at_once(self):
        gone, moved, alike = self.row(100), self.row(200), self.row(300)
        self.change("DELETE FROM samples WHERE offset=?", gone[2])
        self.change("UPDATE samples SET time=time+1 WHERE offset=?", moved[2])
        self.change("INSERT INTO samples SELECT session, time+1, offset, format, readings FROM samples WHERE offset=?", alike[2])
        findings = self.expect(missing=1, different=1, doubled=1, found=2999)
        self.assertEqual([(each["fault"], each["offset"]) for each in findings],
                         [("missing", gone[2]), ("different", moved[2]), ("doubled", alike[2])])


class NoFaults(VerifyTest):
    def test_what_retention_took(self):
        lines = self.generate(rows=3000, scenario="restarts")
        self.log.write_bytes(b"".join(lines[:-500]))
        self.read()
        kept = self.change("SELECT max(id), rows FROM sessions")[0]
        self.change("UPDATE arrivals SET day=day-40 WHERE session<>?", kept[0])
        program = self.start_and_read("--keep", "30d")
        program.wait(lambda: len(program.get("sessions")) == 1, "retention")
        with open(self.log, "ab") as log:
            log.write(b"".join(lines[-500:]))
        program.wait(lambda: program.get("sources")[0]["bytes"] == self.log.stat().st_size, "the rest")
        (source,) = self.verify()
        self.expect(source, found=kept[1] + 500, not_kept=2500 - kept[1])
        # A row less than retention left is a fault all the same.
        program.stop()
        self.change("DELETE FROM samples WHERE offset=?", self.row(kept[1] - 1)[2])
        self.expect(missing=1)


class Refusals(VerifyTest):
    def test_a_log_that_it_never_read(self):
        self.generate(rows=10)
        self.read()
        other = self.folder / "other.txt"
        subprocess.run([self.gpulse, "generate", "--rows", "20", "--seed", "6", "--out", other], check=True)
        (source,) = self.verify(log=other)
        self.expect(source, missing=20, found=0)
        self.assertIn("no row of this log is there", self.run_verify(log=other).stdout)

    def test_another_zone(self):
        self.generate(rows=10)
        self.read()
        done = self.run_verify(timezone="Asia/Tokyo")
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn(f"--timezone {ZONE}", done.stderr)

    def test_no_ledger(self):
        self.generate(rows=10)
        done = self.run_verify()
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no ledger in", done.stdout)
        self.assertFalse(self.data.exists())

    def test_a_ledger_of_another_version(self):
        self.generate(rows=10)
        self.read()
        self.change("PRAGMA user_version=99")
        done = self.run_verify()
        self.assertEqual(done.returncode, 1)
        self.assertIn("version 99", done.stdout)

    def test_what_is_no_log(self):
        self.log.write_bytes(b"Dear Sir,\r\n")
        self.assertEqual(self.run_verify().returncode, 3)
        self.log.unlink()
        done = self.run_verify()
        self.assertEqual(done.returncode, 3)
        self.assertIn("there is no file", done.stderr)
        done = self.run_verify("--kafka", "nowhere")
        self.assertEqual(done.returncode, 2)
        self.assertIn("kafka://", done.stderr)


class Memory(VerifyTest):
    BYTES = 16 << 20

    def test_it_does_not_grow_with_the_log(self):
        if any(name in pathlib.Path(self.gpulse).read_bytes() for name in (b"__asan_init", b"__tsan_init")):
            self.skipTest("a sanitizer's own memory is beyond any limit")
        if "GPULSE_WINEPREFIX" in os.environ:
            self.skipTest("Linux' limits are not for a program under Wine")
        self.generate(rows=400_000, columns="old")
        self.assertGreater(self.log.stat().st_size, 3 * self.BYTES)
        self.read()
        done = self.run_verify(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (self.BYTES, self.BYTES)))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        FaultTest.gpulse = os.path.abspath(sys.argv.pop(1))
    unittest.main()
