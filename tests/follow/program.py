"""The real program, a log to write for it, and what it shows of it; for the tests of following."""
import collections
import concurrent.futures
import datetime
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request

PATIENCE = float(os.environ.get("GPULSE_TEST_PATIENCE", "20"))  # seconds, for what should come at once
HEADER = "        Date        , GPU Temperature [°C] , GPU Load [%] , Memory Used [MB] ,\r\n".encode("latin-1")
OTHER_HEADER = b"        Date        , Memory Used [MB] , GPU Load [%] ,\r\n"
MARK = "gpu_memory_used"  # the reading that numbers the rows of a test


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def row(mark, when=None, end=b"\r\n"):
    text = (when or now()).strftime("%Y-%m-%d %H:%M:%S")
    return f"{text} ,                 63.0   ,         45   ,       {mark:7d}   ,".encode() + end


def rows(first, last, start=None, step=1):
    start = start or now()
    return b"".join(row(mark, start + datetime.timedelta(seconds=step * (mark - first)))
                    for mark in range(first, last))


def wait_until(what, condition, seconds=PATIENCE):
    """The first true result of condition(), which is asked again and again."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:.0f} s (at last: {result!r})")
        time.sleep(0.01)


class Live(threading.Thread):
    """Listens to the live push; notes rows by device, and devices' states, as they come."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=120)
        self.connection.request("GET", "/api/v1/live", headers={"Accept": "text/event-stream"})
        self.response = self.connection.getresponse()
        self.news = threading.Condition()
        self.rows = []     # (gpu, source, time in ms, mark, ms when it arrived)
        self.states = []   # (gpu, state), as told
        self.greeted = False
        self.start()
        self.wait("the greeting", lambda: self.greeted)

    def run(self):
        event = None
        try:
            for line in self.response:
                if line.startswith(b"event:"):
                    event = line[6:].strip()
                elif line.startswith(b"data:"):
                    self.note(event, json.loads(line[5:]))
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass  # the program ended, or the test did

    def note(self, event, data):
        with self.news:
            if event == b"hello":
                self.greeted = True
            elif event == b"rows":
                at = 1 + data["metrics"].index(MARK)
                self.rows += [(data["gpu"], data["source"], each[0], each[at], 1000 * time.time())
                              for each in data["rows"]]
            elif event == b"device":
                self.states.append((data["gpu"], data["state"]))
            self.news.notify_all()

    def wait(self, what, condition, seconds=PATIENCE):
        with self.news:
            if not self.news.wait_for(condition, seconds):
                raise AssertionError(f"{what}: no such event within {seconds:.0f} s; rows {self.rows[-5:]}, "
                                     f"states {self.states[-5:]}")

    def marks(self, gpu=None):
        return [mark for device, _, _, mark, _ in self.rows if gpu in (None, device)]


class Program:
    """`gpulse run`, ended with its `with` block."""

    def __init__(self, gpulse, folder, *logs, options=(), before=(), data="data"):
        self.command = [*before, gpulse, "run", *map(str, logs), "--data", folder / data, "--listen", "127.0.0.1",
                        "--port", "0", "--timezone", "UTC", "--host", "rig", *options]
        self.folder = folder
        self.output = folder / f"output-{time.monotonic_ns()}.txt"

    def __enter__(self):
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(list(map(str, self.command)), cwd=self.folder, stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=subprocess.STDOUT)
        self.url = wait_until("the address is printed", self._address)
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("it does not end when asked to") from None
        if kind is not None:
            print(self.said())
        elif code not in (0, -9):
            raise AssertionError(f"it ended with {code}:\n{self.said()}")

    def said(self):
        return self.output.read_text(errors="replace")

    def says(self, words):
        wait_until(f"it says {words!r}", lambda: self._alive() and words in self.said())

    def _alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}:\n{self.said()}")
        return True

    def _address(self):
        self._alive()
        found = re.search(r"http://[\w.\[\]:]+:\d+", self.said())
        return found and found.group(0)

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=PATIENCE)

    def get(self, path, **parameters):
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        with urllib.request.urlopen(f"{self.url}{path}{query}", timeout=PATIENCE) as response:
            return json.load(response)

    def api(self, name, **parameters):
        return self.get(f"/api/v1/{name}", **parameters)

    def health(self):
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=PATIENCE) as response:
                return response.status, json.load(response)["status"]
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)["status"]

    def device(self, gpu):
        return next((each for each in self.api("devices") if each["gpu"] == gpu), None)

    def series(self, gpu):
        """(time in ms, mark) of every row that the program has of a device, as its query tells."""
        if not self.device(gpu):
            return []
        answer = self.api("query", host="rig", gpu=gpu, metric=MARK, points=20000)
        assert answer["raw"], "too many rows for one raw answer"
        series = answer["series"][0]
        return [(at, int(mark)) for at, mark in zip(series["time"], series["mean"]) if mark is not None]

    def marks(self, gpu):
        return sorted(mark for _, mark in self.series(gpu))

    def sources(self, gpu):
        return {each["source"]: each for each in self.api("sources") if each["gpu"] == gpu}

    def expect(self, gpu, marks):
        """Waits until the device has just these rows, each as often as it stands in `marks`."""
        expected = sorted(marks)
        deadline = time.monotonic() + PATIENCE
        while True:
            self._alive()
            got = self.marks(gpu)
            if got == expected:
                break
            if time.monotonic() > deadline or len(got) > len(expected):
                wanted, found = collections.Counter(expected), collections.Counter(got)
                raise AssertionError(f"missing {sorted((wanted - found).elements())[:20]}, too much "
                                     f"{sorted((found - wanted).elements())[:20]}")
            time.sleep(0.01)
        booked = sum(source["rows"] for source in self.sources(gpu).values())
        assert booked == len(expected), f"{booked} rows booked, {len(expected)} shown"

    def bytes_read(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/io").read_text()
        return int(re.search(r"rchar: (\d+)", text).group(1))


class Writer:
    """A log's writer, which keeps it open. With `append` it always writes at the end, else where it was."""

    def __init__(self, path, append=False):
        self.path = path
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else 0), 0o644)
        if not append:
            os.lseek(self.file, 0, os.SEEK_END)

    def write(self, data):
        assert os.write(self.file, data) == len(data)
        return self

    def truncate(self):
        os.ftruncate(self.file, 0)
        return self

    def rewind(self):
        os.lseek(self.file, 0, os.SEEK_SET)
        return self

    def close(self):
        os.close(self.file)


def run_all(name, scenarios, workers=4):
    """Runs each scenario in a folder of its own, a few at a time; the exit code."""
    def run(scenario):
        folder = pathlib.Path(tempfile.mkdtemp(prefix=f"gpulse-{name}-"))
        began = time.monotonic()
        try:
            scenario(folder)
            return scenario, None, time.monotonic() - began
        except Exception:  # any failure is that scenario's alone
            return scenario, traceback.format_exc(), time.monotonic() - began
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for scenario, error, seconds in pool.map(run, scenarios):
            failed += error is not None
            print(f"{'FAILED' if error else 'ok':6} {seconds:5.1f} s  {scenario.__name__}", flush=True)
            if error:
                print(error, flush=True)
    print(f"{name}: {len(scenarios) - failed} of {len(scenarios)} passed")
    return 1 if failed else 0
