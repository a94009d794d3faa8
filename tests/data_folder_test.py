#!/usr/bin/env python3
"""What happens to a data folder: a full disk, a second program, old rows removed, another zone, the same
log from elsewhere. The real program, over HTTP and by its ledger.

    data_folder_test.py GPULSE
"""
import os
import pathlib
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "faults"))
import contents  # noqa: E402
from harness import FaultTest, READ_TO_END, Reference  # noqa: E402
from program import Dead, ZONE  # noqa: E402

OUTAGE_SECONDS = 3


class DataFolderTest(FaultTest):
    made = []  # the log that all of them use, and its folder

    def setUp(self):
        super().setUp()
        if not self.made:
            folder = tempfile.TemporaryDirectory(prefix="gpulse-reference-")
            self.made += [Reference(self.gpulse, pathlib.Path(folder.name), 7, 3_000), folder]
        self.reference = self.made[0]
        self.log = self.folder / "GPU-Z Sensor Log.txt"
        self.data = self.folder / "data"

    def start_and_read(self, *arguments, log=None, timezone=ZONE):
        program = self.start(log or self.log, *arguments, timezone=timezone).connect()
        program.wait_to_say(READ_TO_END)
        return program

    def change_ledger(self, sql):
        ledger = sqlite3.connect(self.data / "ledger.db")
        with ledger:
            ledger.executescript(sql)
        ledger.close()

    def query_ledger(self, sql):
        ledger = sqlite3.connect(self.data / "ledger.db")
        try:
            return ledger.execute(sql).fetchall()
        finally:
            ledger.close()


class SmallDisk:
    """A file system with little room under a folder, or, where none may be mounted, a limit to the size
    of each file of one program."""

    def __init__(self, test, folder, megabytes):
        self.folder = folder
        self.bytes = int(megabytes * 1e6)
        folder.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.bytes}", "tmpfs", folder],
                                 capture_output=True, check=False)
        self.mounted = mounted.returncode == 0
        if self.mounted:
            test.addCleanup(subprocess.run, ["umount", "-l", folder], check=True)

    def popen(self):
        if self.mounted:
            return {}

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.bytes, resource.RLIM_INFINITY))
        return {"preexec_fn": limit, "restore_signals": False}

    def words(self):
        return "the disk is full" if self.mounted else "cannot store"

    def make_room(self, program):
        if self.mounted:
            subprocess.run(["mount", "-o", "remount,size=200m", self.folder], check=True)
        else:
            resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE,
                             (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class DiskFull(DataFolderTest):
    def hold(self, program, disk):
        """The disk stays full for some attempts, in which the program lives, answers and is quiet."""
        until = time.monotonic() + OUTAGE_SECONDS
        while time.monotonic() < until:
            program.get("sources")
            time.sleep(0.1)
        self.assertEqual(program.said().count(disk.words()), 1, program.said())

    def test_while_following(self):
        self.log.write_bytes(self.reference.content)
        disk = SmallDisk(self, self.data, 0.6)
        program = self.start(self.log, **disk.popen()).connect()
        program.wait_to_say(disk.words())
        self.hold(program, disk)
        disk.make_room(program)
        program.wait_to_say(READ_TO_END)
        program.stop()
        self.start_and_read().stop()
        self.check_ledger(self.reference)

    def test_killed_while_full(self):
        self.log.write_bytes(self.reference.content)
        disk = SmallDisk(self, self.data, 0.6)
        program = self.start(self.log, **disk.popen()).connect()
        program.wait_to_say(disk.words())
        program.kill()
        program = self.start(self.log, **disk.popen())
        try:
            program.connect().wait_to_say(disk.words())
            program.kill()
        except Dead:  # without room to work in it may say so and end
            self.assertEqual(program.process.returncode, 1)
            self.assertIn("ledger.db", program.said())
        if disk.mounted:
            disk.make_room(program)
        self.start_and_read().stop()
        self.check_ledger(self.reference)

    def test_while_importing(self):
        size = len(self.reference.content) / 1e6
        disk = SmallDisk(self, self.data, size + 0.6)
        program = self.start(**disk.popen()).connect()
        if not disk.mounted:
            self.skipTest("NO SMALL DISK TO BE MOUNTED HERE: skipped")
        status, _ = program.request("POST", "logs?name=GPU-Z%20Sensor%20Log.txt", self.reference.content)
        self.assertEqual(status, 202)
        job = program.wait(lambda: [job for job in program.get("logs") if job["error"]], "its trouble")[0]
        self.assertEqual(job["state"], "waiting")
        self.assertIn("the disk is full", job["error"]["message"])
        disk.make_room(program)
        program.wait(lambda: program.get("logs")[0]["state"] == "done", "the import")
        self.assertIsNone(program.get("logs")[0]["error"])
        program.stop()
        self.check_ledger(self.reference)

    def test_cancelled_while_it_waits_for_room(self):
        size = len(self.reference.content) / 1e6
        disk = SmallDisk(self, self.data, size + 0.6)
        if not disk.mounted:
            self.skipTest("NO SMALL DISK TO BE MOUNTED HERE: skipped")
        program = self.start().connect()
        program.request("POST", "logs?name=GPU-Z%20Sensor%20Log.txt", self.reference.content)
        program.wait(lambda: [job for job in program.get("logs") if job["error"]], "its trouble")
        self.assertEqual(program.request("DELETE", "logs/1")[0], 204)
        disk.make_room(program)
        program.wait(lambda: program.get("logs")[0]["state"] == "cancelled", "the end of the job")
        self.assertEqual(program.get("sources"), [])
        self.assertEqual(program.get("devices"), [])
        program.stop()
        self.assertEqual(contents.in_ledger(self.data), {})
        self.assertEqual(list((self.data / "uploads").iterdir()), [])

    def test_no_room_for_an_upload(self):
        disk = SmallDisk(self, self.data, 0.6)
        if not disk.mounted:
            self.skipTest("NO SMALL DISK TO BE MOUNTED HERE: skipped")
        program = self.start().connect()
        status, answer = program.request("POST", "logs?name=GPU-Z%20Sensor%20Log.txt",
                                         self.reference.content)
        self.assertEqual(status, 503, answer)
        self.assertIn(b"disk", answer)
        self.assertEqual(program.get("logs"), [])
        program.stop()
        self.assertEqual(list((self.data / "uploads").iterdir()), [])


class TwoPrograms(DataFolderTest):
    def test_the_second_says_so_and_ends(self):
        first = self.start().connect()
        second = self.start()
        self.assertEqual(second.process.wait(30), 0)
        with second.process.stdout as told:
            words = told.read().decode()
        self.assertIn("gpulse runs already", words)
        self.assertIn(first.address, words)
        self.assertIn(str(self.data), words)
        self.assertEqual(first.get("devices"), [])
        first.stop()
        self.start().connect().stop()


class Retention(DataFolderTest):
    def rows_served(self, program):
        return sum(session["rows"] for session in program.get("sessions"))

    def test_by_age_of_arrival(self):
        """The log is of a year ago; what counts is when it came."""
        lines = self.reference.content.splitlines(keepends=True)
        self.log.write_bytes(b"".join(lines[:-500]))
        program = self.start_and_read("--keep", "30d")
        whole = program.get("sources")[0]
        self.assertEqual(self.rows_served(program), whole["rows"])
        program.stop()
        kept = self.query_ledger("SELECT max(id), rows FROM sessions")[0]
        self.change_ledger(f"UPDATE arrivals SET day=day-40 WHERE session<>{kept[0]}")

        program = self.start_and_read("--keep", "30d")
        program.wait(lambda: len(program.get("sessions")) == 1, "retention")
        self.assertEqual(self.rows_served(program), kept[1])
        self.assertEqual(program.get("devices")[0]["rows"], kept[1])
        self.assertEqual(program.get("devices")[0]["first"], program.get("sessions")[0]["first"])
        self.assertEqual(program.get("sources"), [whole])  # its position too: nothing is read again
        session = program.get("sessions")[0]["session"]
        self.assertEqual({window["session"] for window in program.get("windows?limit=10000")}, {session})
        with open(self.log, "ab") as log:
            log.write(b"".join(lines[-500:]))
        program.wait(lambda: program.get("sources")[0]["bytes"] == len(self.reference.content), "the rest")
        rows_left = self.rows_served(program)
        self.assertEqual(rows_left, kept[1] + program.get("sources")[0]["rows"] - whole["rows"])
        program.stop()
        self.assertEqual(self.query_ledger("SELECT count(*) FROM samples"), [(rows_left,)])
        contents.in_ledger(self.data)  # nothing in it belongs to nothing

    def test_all_of_it_then_more(self):
        lines = self.reference.content.splitlines(keepends=True)
        self.log.write_bytes(b"".join(lines[:-100]))
        self.start_and_read().stop()
        self.change_ledger("UPDATE arrivals SET day=day-40")
        program = self.start_and_read("--keep", "30d")
        program.wait(lambda: program.get("devices") == [], "retention")
        before = program.get("sources")[0]
        with open(self.log, "ab") as log:
            log.write(b"".join(lines[-100:]))
        program.wait(lambda: program.get("sources")[0]["bytes"] == len(self.reference.content), "the rest")
        after = program.get("sources")[0]
        self.assertEqual(self.rows_served(program), after["rows"] - before["rows"])
        self.assertEqual(after["sessions"], len(self.reference.expected["sessions"]))
        program.stop()
        # The last session is there with the number that it had, and its last rows only.
        (left,) = contents.in_ledger(self.data).values()
        last = self.reference.expected["sessions"][-1][0]
        self.assertEqual(list(left["rows"]), [last])
        self.assertEqual(left["rows"][last], self.reference.expected["rows"][last][-len(left["rows"][last]):])

    def test_by_size(self):
        self.log.write_bytes(self.reference.content)
        self.start_and_read().stop()
        # As if the sessions had come a day each; the last one today.
        self.change_ledger("UPDATE arrivals SET day=day-(SELECT max(id) FROM sessions)+session; "
                           "CREATE TABLE ballast(bytes); INSERT INTO ballast VALUES(zeroblob(1000000))")
        all_sessions = self.query_ledger("SELECT id FROM sessions ORDER BY id")
        program = self.start_and_read("--keep-size", "1MB")
        program.wait(lambda: len(program.get("sessions")) == 1, "retention")
        program.stop()
        # Whatever the limit, what came today stays.
        self.assertEqual(self.query_ledger("SELECT id FROM sessions"), all_sessions[-1:])


class Zones(DataFolderTest):
    def test_another_zone_is_an_error_that_names_the_way_out(self):
        self.log.write_bytes(self.reference.content)
        self.start_and_read().stop()
        program = self.start(self.log, timezone="Asia/Tokyo")
        self.assertNotEqual(program.process.wait(60), 0)
        program.process.stdout.close()
        self.assertIn("--rezone", program.said())
        self.assertIn(ZONE, program.said())
        self.check_ledger(self.reference)

    def test_rezone_reads_it_again(self):
        self.log.write_bytes(self.reference.content)
        self.start_and_read().stop()
        program = self.start_and_read("--rezone", timezone="Asia/Tokyo")
        self.assertEqual(program.get("devices")[0]["timezone"], "Asia/Tokyo")
        program.stop()
        (source,) = contents.in_ledger(self.data).values()
        self.assertIsNone(contents.first_difference(source, contents.expected(self.log, "Asia/Tokyo")))
        # The same wish again changes nothing.
        program = self.start_and_read("--rezone", timezone="Asia/Tokyo")
        self.assertEqual(len(program.get("sources")), 1)


class TheSameLog(DataFolderTest):
    def test_at_another_path(self):
        lines = self.reference.content.splitlines(keepends=True)
        self.log.write_bytes(b"".join(lines[:-500]))
        self.start_and_read().stop()
        moved = self.folder / "moved" / "GPU-Z Sensor Log.txt"
        moved.parent.mkdir()
        self.log.rename(moved)
        with open(moved, "ab") as log:
            log.write(b"".join(lines[-500:]))
        program = self.start_and_read(log=moved)
        self.assertEqual([source["file"] for source in program.get("sources")], [str(moved)])
        program.stop()
        self.check_ledger(self.reference)

    def test_given_twice(self):
        self.log.write_bytes(self.reference.content)
        program = self.start(self.log, self.log)
        self.assertEqual(program.process.wait(30), 2)
        program.process.stdout.close()
        self.assertIn("named twice", program.said())

    def test_a_copy_beside_it(self):
        """Only one of the two is read, whichever it is; both are alive."""
        copy = self.folder / "copy.txt"
        self.log.write_bytes(self.reference.content)
        copy.write_bytes(self.reference.content)
        program = self.start(self.log, copy).connect()
        program.wait_to_say("is the same log as")
        program.wait_to_say(READ_TO_END)
        self.assertEqual(len(program.get("sources")), 1)
        program.stop()
        self.start_and_read().stop()
        self.check_ledger(self.reference)

    def test_uploaded_while_it_is_followed(self):
        lines = self.reference.content.splitlines(keepends=True)
        self.log.write_bytes(b"".join(lines[:-500]))
        program = self.start_and_read()
        status, _ = program.request("POST", "logs?name=upload.txt", self.reference.content)
        self.assertEqual(status, 202)
        program.wait(lambda: program.get("logs")[0]["state"] in ("failed", "done"), "the job")
        self.assertIn("is the same log as", program.get("logs")[0]["error"]["message"])
        with open(self.log, "ab") as log:
            log.write(b"".join(lines[-500:]))
        program.wait(lambda: program.get("sources")[0]["bytes"] == len(self.reference.content), "the rest")
        program.stop()
        self.start_and_read().stop()
        self.check_ledger(self.reference)

    def test_uploaded_twice(self):
        program = self.start().connect()
        for upload in (1, 2):
            program.request("POST", "logs?name=GPU-Z%20Sensor%20Log.txt", self.reference.content)
            program.wait(lambda: [job["state"] for job in program.get("logs")] == ["done"] * upload,
                         "the job")
        self.assertEqual(len(program.get("devices")), 1)
        program.stop()
        self.check_ledger(self.reference)

    def test_uploaded_after_it_was_rewritten(self):
        """Another log that begins with the same row; an older copy of the first brings nothing new."""
        lines = self.reference.content.splitlines(keepends=True)
        other = b"".join(lines[:300] + lines[400:] + lines[400:])
        program = self.start().connect()
        for content in (self.reference.content, other, b"".join(lines[:350]), other):
            program.request("POST", "logs?name=GPU-Z%20Sensor%20Log.txt", content)
            program.wait(lambda: {job["state"] for job in program.get("logs")} == {"done"}, "the job")
        program.stop()
        first, second = sorted(contents.in_ledger(self.data).items())
        self.assertEqual(second[0], first[0] + "~2")
        self.assertIsNone(contents.first_difference(first[1], self.reference.expected))
        self.log.write_bytes(other)
        self.assertIsNone(contents.first_difference(second[1], contents.expected(self.log, ZONE)))

    def test_uploaded_then_followed_as_it_grows(self):
        """The upload ends in the middle of a line, as a copy of a log that is being written does."""
        cut = self.reference.content.rfind(b"\n", 0, len(self.reference.content) * 2 // 3) + 100
        program = self.start().connect()
        for upload in (1, 2):
            program.request("POST", "logs?name=GPU-Z%20Sensor%20Log.txt", self.reference.content[:cut])
            program.wait(lambda: [job["state"] for job in program.get("logs")] == ["done"] * upload,
                         "the job")
        (source,) = program.get("sources")
        self.assertEqual(source["set_aside_detail"][-1]["offset"], source["bytes"])
        self.assertEqual(source["set_aside"], len(source["set_aside_detail"]))
        program.stop()
        self.log.write_bytes(self.reference.content)
        self.start_and_read().stop()
        self.check_ledger(self.reference)


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        FaultTest.gpulse = os.path.abspath(sys.argv.pop(1))
    unittest.main()
