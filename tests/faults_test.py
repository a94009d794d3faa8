#!/usr/bin/env python3
"""Kills the real program again and again, while it imports a log and while it follows one, and holds
what its store ends with against an independent reading of the log and against an undisturbed run.

    faults_test.py GPULSE

GPULSE_FAULT_ROUNDS (3) rounds of each kind, each with up to four kills, by GPULSE_FAULT_SEED (1); the
failing round's seed is in the failure.
"""
import collections
import os
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "faults"))
import contents  # noqa: E402
import made_log  # noqa: E402
from harness import FaultTest, READ_TO_END, Reference  # noqa: E402
from program import Dead, wait_until  # noqa: E402

ROUNDS = int(os.environ.get("GPULSE_FAULT_ROUNDS", "3"))
SEED = int(os.environ.get("GPULSE_FAULT_SEED", "1"))
KILLS = collections.Counter()


def kill_at(program, moment, dice):
    """Kills the program a moment after an event."""
    try:
        wait_until(moment, "the moment to kill", program.alive)
        # Up to a few transactions later: where within one is what the seed cannot choose.
        until = time.perf_counter() + dice.choice((0, 0, dice.uniform(0, 0.02)))
        while time.perf_counter() < until:
            pass
    except Dead:
        pass
    program.kill()


def size_of(path):
    try:
        return os.path.getsize(path)
    except OSError:
        return -1


class Kills(FaultTest):
    @classmethod
    def setUpClass(cls):
        cls.references_folder = tempfile.TemporaryDirectory(prefix="gpulse-references-")
        cls.references = {}

    @classmethod
    def tearDownClass(cls):
        cls.references_folder.cleanup()
        print(f"faults: {sum(KILLS.values())} kills ({dict(sorted(KILLS.items()))})", file=sys.stderr)

    def reference(self, seed):
        # Few logs, since a slow reading of each is part of it; every fifth is large.
        number = seed % max(1, min(5, ROUNDS // 3))
        if number not in self.references:
            folder = pathlib.Path(self.references_folder.name) / str(number)
            folder.mkdir(exist_ok=True)
            rows = 25_000 if number == 4 else 9_000
            self.references[number] = Reference(self.gpulse, folder, SEED + number, rows)
        return self.references[number]

    def test_the_undisturbed_run(self):
        reference = self.reference(0)
        for source in reference.ledger.values():
            self.assertIsNone(contents.first_difference(source, reference.expected))
        self.assertGreater(reference.expected["source"]["set_aside"], 3)
        self.assertGreater(reference.expected["source"]["absent"], 10)
        self.assertGreater(len(reference.expected["sessions"]), 3)

    def test_while_importing(self):
        for seed in range(SEED, SEED + ROUNDS):
            with self.subTest(seed=seed):
                self.import_and_kill(seed, self.reference(seed))
            self.clear()

    def test_while_following(self):
        for seed in range(SEED, SEED + ROUNDS):
            with self.subTest(seed=seed):
                self.follow_and_kill(seed, self.reference(seed))
            self.clear()

    def clear(self):
        self.end_programs()
        self.programs.clear()
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    # ---------------------------------------------------------------- import

    def import_and_kill(self, seed, reference):
        dice = random.Random(seed)
        accepted = False
        for _ in range(dice.randrange(1, 5)):
            program = self.start()
            upload = None
            if dice.random() < 0.15:
                kill_at(program, lambda: (self.folder / "data" / "ledger.db").exists(), dice)
                KILLS["import: starting"] += 1
                continue
            program.connect()
            if not accepted:
                upload = Upload(program, reference.content)
            accepted = self.kill_importing(program, reference, upload, dice) or accepted
        program = self.start().connect()
        if not accepted:
            Upload(program, reference.content).wait()
        program.wait(lambda: all(job["state"] == "done" for job in program.get("logs")), "the import")
        served = contents.served(program)
        program.stop()
        self.assertEqual(list((self.folder / "data" / "uploads").iterdir()), [])
        self.check_ledger(reference)
        for part in ("sessions", "rows", "windows", "alerts"):
            for have, want in zip(served[part], reference.served[part], strict=True):
                # An import names its device after the file.
                self.assertEqual({**have, "gpu": ""}, {**want, "gpu": ""}, part)

    def kill_importing(self, program, reference, upload, dice):
        """Whether the program had accepted the upload."""
        share = dice.random()
        data = self.folder / "data"
        wal = data / "ledger.db-wal"
        before = os.stat(wal).st_mtime_ns

        def done():
            jobs = program.get("logs")
            return (upload is None or upload.answer) and all(job["state"] == "done" for job in jobs)

        moments = {
            "uploading": lambda: upload.answer or share * len(reference.content) < max(
                map(size_of, (data / "uploads").iterdir()), default=-1),
            "accepted": lambda: upload.answer,
            "writing": lambda: share * reference.wal_bytes < size_of(wal) or done(),
            "writing again": lambda: os.stat(wal).st_mtime_ns != before or done(),
            "reading": lambda: any(job["bytes_read"] > share * job["bytes"]
                                   for job in program.get("logs")) or done(),
            "done": done,
        }
        name = dice.choice(["uploading", "accepted", "writing", "writing", "reading", "done"] if upload
                           else ["writing again", "writing again", "reading", "done"])
        kill_at(program, moments[name], dice)
        KILLS[f"import: {name}"] += 1
        return upload is not None and upload.wait()

    # ---------------------------------------------------------------- follow

    def follow_and_kill(self, seed, reference):
        dice = random.Random(seed)
        log = self.folder / "GPU-Z Sensor Log.txt"
        data = self.folder / "data"
        bursts = list(made_log.pieces(reference.content, dice))
        kills = sorted(dice.choices(range(len(bursts)), k=dice.randrange(1, 5)))
        program = self.start(log).connect()
        with open(log, "ab", buffering=0) as writer:
            for number, burst in enumerate(bursts):
                writer.write(burst)
                written = writer.tell()
                if program is not None and number in kills:
                    self.kill_following(program, data, dice)
                    # The log goes on without anyone listening, now and then.
                    program = None if dice.random() < 0.5 else self.start(log)
                elif program is None and dice.random() < 0.3:
                    program = self.start(log)
                if program is not None and program.address is None and dice.random() < 0.8:
                    program.connect()
                if program is not None and program.address is not None and dice.random() < 0.05:
                    self.wait_for_position(program, reference, written)
        program = program or self.start(log)
        if program.address is None:
            program.connect()
        self.wait_for_position(program, reference, len(reference.content))
        program.stop()
        program = self.start(log).connect()
        program.wait_to_say(READ_TO_END)
        served = contents.served(program)
        program.stop()
        self.check_ledger(reference)
        for part in ("devices", "sessions", "rows", "windows", "alerts"):
            for have, want in zip(served[part], reference.served[part], strict=True):
                self.assertEqual({**have, "gpu": ""}, {**want, "gpu": ""}, part)

    def kill_following(self, program, data, dice):
        name = dice.choice(("at once", "writing", "writing", "served"))
        wal = data / "ledger.db-wal"
        before = os.stat(wal).st_mtime_ns if wal.exists() else 0
        deadline = time.monotonic() + 0.05  # nothing is written for a piece of a line
        moments = {"at once": lambda: True,
                   "writing": lambda: (wal.exists() and os.stat(wal).st_mtime_ns != before
                                       or time.monotonic() > deadline),
                   "served": lambda: program.address is None or program.get("devices")
                                     or time.monotonic() > deadline}
        kill_at(program, moments[name], dice)
        KILLS[f"follow: {name}"] += 1

    def wait_for_position(self, program, reference, written):
        """All whole lines that have been written are known to the API."""
        whole = reference.content.rfind(b"\n", 0, written) + 1
        if b"," not in reference.content[:whole].partition(b"\n")[2]:
            return  # no row yet: no source
        program.wait(lambda: any(source["bytes"] >= whole for source in program.get("sources")),
                     f"position {whole}")


class Upload:
    """A log on its way to the program, on a thread of its own."""

    def __init__(self, program, content):
        self.answer = None
        self.thread = threading.Thread(target=self.send, args=(program, content))
        self.thread.start()

    def send(self, program, content):
        try:
            self.answer = program.request("POST", "logs?name=GPU-Z%20Sensor%20Log.txt", content)
        except Dead:
            pass

    def wait(self):
        """Whether it was accepted: from then on a kill must not lose it."""
        self.thread.join()
        return self.answer is not None and self.answer[0] == 202


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        FaultTest.gpulse = os.path.abspath(sys.argv.pop(1))
    unittest.main()
