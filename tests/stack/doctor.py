"""gpulse doctor as a test asks it."""
import json
import os
import subprocess
import time


class Answer:
    def __init__(self, gpulse, *arguments):
        began = time.monotonic()
        done = subprocess.run([gpulse, "doctor", *map(str, arguments), "--json"], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "GPULSE_INFLUXDB_TOKEN": ""})
        self.seconds = time.monotonic() - began
        self.code, self.said = done.returncode, done.stdout + done.stderr
        assert self.code in (0, 1), self.said
        self.checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}

    def expect_fine(self, *names):
        """These are there and fine, and nothing failed. A machine's own clock may be nobody's care."""
        assert self.code == 0, self.said
        for name in names:
            assert self.checks[name]["verdict"] == "ok", (name, self.said)
        for name, check in self.checks.items():
            assert check["verdict"] in ("ok", "skip") or name == "clock", (name, self.said)

    def expect(self, name, verdict, found="", advice=""):
        check = self.checks[name]
        assert check["verdict"] == verdict, (name, self.said)
        assert found in check["found"] and advice in (check["advice"] or ""), (name, check)
        assert verdict != "fail" or self.code == 1
