#!/usr/bin/env python3
"""src/influxdb on a real InfluxDB: its unit tests that need one, with one of their own.

    influxd_test.py INFLUXDB_TEST
"""
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "stack"))
from stack import PROGRAM, Stack  # noqa: E402


def main():
    with tempfile.TemporaryDirectory() as name, Stack(pathlib.Path(name)) as stack:
        stack.up("influxdb")
        access = stack.status()["access"]["influxdb"]
        pid = stack.pids()["influxdb"]
        restart = f"kill -9 {pid}; {shlex.quote(str(PROGRAM))} up influxdb"
        done = subprocess.run([sys.argv[1], "--gtest_filter=Influxd.*"], env=stack.environment | {
            "GPULSE_INFLUXDB_URL": access["url"], "GPULSE_INFLUXDB_TOKEN_FILE": access["token_file"],
            "GPULSE_INFLUXDB_RESTART": restart}, stdout=subprocess.PIPE, text=True, timeout=600)
        print(done.stdout)
        # Here is all that they need: one that is skipped, or none at all, is a fault.
        ran = re.search(r"^\[  PASSED  \] (\d+) tests", done.stdout, re.MULTILINE)
        if "[  SKIPPED ]" in done.stdout or not ran or int(ran[1]) == 0:
            print("FAILED: tests were skipped, or none ran")
            return 1
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())
