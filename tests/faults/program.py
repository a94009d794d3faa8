"""The real program under test: started, asked over HTTP, killed, stopped."""
import http.client
import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.parse

ZONE = "Europe/Berlin"
SECONDS_MAX = float(os.environ.get("GPULSE_FAULT_WAIT", "120"))  # for anything that is waited for


class Dead(Exception):
    """The program has ended, or does not answer any more."""


def wait_until(condition, what, alive=lambda: True):
    """Polls for an event; its value when it is true."""
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        if not alive():
            raise Dead(f"it ended while {what} was waited for")
        time.sleep(0.001)
    raise AssertionError(f"waited {SECONDS_MAX:.0f} s for {what}, in vain")


class Program:
    """`gpulse run` on a data folder. Its words go into files beside the folder, one a start."""

    def __init__(self, path, data, *arguments, timezone=ZONE, **popen):
        self.data = pathlib.Path(data)
        started = len(list(self.data.parent.glob(f"{self.data.name}.*.err")))
        self.errors = self.data.parent / f"{self.data.name}.{started}.err"
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                [path, "run", "--data", str(data), "--port", "0", "--host", "rig", "--timezone", timezone,
                 *map(str, arguments)],
                stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.DEVNULL, **popen)
        self.address = None

    def connect(self):
        """Waits until it serves."""
        line = self.process.stdout.readline().decode()
        if "http://" not in line:
            self.process.wait()
            raise Dead(f"it did not start: {self.said()}")
        self.address = urllib.parse.urlsplit(line.split()[-1]).netloc
        return self

    def alive(self):
        return self.process.poll() is None

    def said(self):
        return self.errors.read_text(encoding="utf-8", errors="replace")

    def request(self, method, path, body=None):
        """(status, body). The connection is closed in between, so that none is kept by a dead program."""
        connection = http.client.HTTPConnection(self.address, timeout=SECONDS_MAX)
        try:
            connection.request(method, f"/api/v1/{path}", body=body)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as problem:
            raise Dead(f"{method} {path[:60]}: {problem!r}") from problem
        finally:
            connection.close()

    def get(self, path):
        status, body = self.request("GET", path)
        if status != 200:
            raise AssertionError(f"GET {path[:80]}: {status} {body[:300]!r}")
        return json.loads(body)

    def wait(self, condition, what):
        return wait_until(condition, what, self.alive)

    def wait_to_say(self, words, times=1):
        self.wait(lambda: self.said().count(words) >= times, f"the words {words!r}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        """Ends it as Ctrl-C would; it must end well."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(SECONDS_MAX)
        self.process.stdout.close()
        if code != 0:
            raise AssertionError(f"it ended with {code}: {self.said()[-2000:]}")
