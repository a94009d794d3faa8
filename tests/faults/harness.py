"""What tests of faults share: a made log with what a store must hold of it, and a data folder."""
import os
import pathlib
import shutil
import tempfile
import unittest

import contents
import made_log
from program import Program, ZONE

READ_TO_END = "read to its end, following"


class Reference:
    """A made log and what a store must hold of it, however it got there."""

    def __init__(self, gpulse, folder, seed, rows):
        self.log = made_log.make(gpulse, folder / "reference.txt", seed, rows)
        self.content = self.log.read_bytes()
        self.expected = contents.expected(self.log, ZONE)
        data = folder / "undisturbed"
        program = Program(gpulse, data, self.log).connect()
        program.wait_to_say(READ_TO_END)
        self.served = contents.served(program)
        self.wal_bytes = os.path.getsize(data / "ledger.db-wal")
        program.stop()
        self.ledger = contents.in_ledger(data)


class FaultTest(unittest.TestCase):
    gpulse = "build/gpulse"

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gpulse-faults-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.programs = []
        self.addCleanup(self.end_programs)

    def end_programs(self):
        for program in self.programs:
            if program.alive():
                program.kill()

    def start(self, *arguments, **popen):
        self.programs.append(Program(self.gpulse, self.folder / "data", *arguments, **popen))
        return self.programs[-1]

    def check_ledger(self, reference):
        sources = contents.in_ledger(self.folder / "data")
        self.assertEqual(list(sources), list(reference.ledger))
        for source, want in reference.ledger.items():
            difference = contents.first_difference(sources[source], reference.expected)
            self.assertIsNone(difference, "ledger against oracle")
            self.assertIsNone(contents.first_difference(sources[source], want), "against undisturbed")
