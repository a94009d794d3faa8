"""What the benchmarks share: the program under test, a log that grows, processes' costs, tables."""

import datetime
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
GPULSE = ROOT / "build" / "gpulse"
GPULSE_EXE = ROOT / "build" / "windows" / "gpulse.exe"
# Runs a program for Windows as a process of Linux.
WINE = ROOT / "tests" / "windows" / "wine.sh"
WORK = ROOT / "build" / "bench"


def wait_until(what, condition, seconds=60.0):
    """The first true result of condition(); a RuntimeError that names `what` when it stays false."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise RuntimeError(f"{what}: not within {seconds:.0f} s")


def get_json(url):
    with urllib.request.urlopen(url, timeout=30) as response:
        return json.load(response)


class Server:
    """`gpulse run` on a log, with a data folder of its own; ends with the `with` block.

    `program` are the words that start gpulse.
    """

    def __init__(self, log, data, *options, program=(GPULSE,)):
        self.output = WORK / f"{data.name}.log"
        self.command = [
            *program, "run", log, "--data", data, "--port", "0", "--timezone", "UTC", *options,
        ]

    def __enter__(self):
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                list(map(str, self.command)), stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT)
        try:
            self.url = wait_until("gpulse run prints its address", self._address)
        except RuntimeError as error:
            self.process.kill()
            raise RuntimeError(f"{error}\n{self.output.read_text(errors='replace')}") from None
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)

    def _address(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"gpulse run ended with {self.process.returncode}")
        found = re.search(r"http://[\w.\[\]:]+:\d+", self.output.read_text(errors="replace"))
        return found and found.group(0)

    def rows(self):
        return sum(device["rows"] for device in get_json(self.url + "/api/v1/devices"))


class LiveLog:
    """A GPU-Z log that a benchmark goes on writing: the last row again, with other times and cells."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            titles = file.readline().split(b",")
            file.seek(-min(1 << 16, os.path.getsize(path)), os.SEEK_END)
            self.cells = file.read().splitlines()[-1].split(b",")
        self.column = {
            title.decode("latin-1").split("[")[0].strip(): at for at, title in enumerate(titles)}
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND)

    def append(self, when, **cells):
        """Writes one row at once; the monotonic time at which the write returned."""
        row = list(self.cells)
        row[0] = when.strftime("%Y-%m-%d %H:%M:%S ").encode()
        for title, value in cells.items():
            at = self.column[title.replace("_", " ")]
            row[at] = b" " + str(value).encode().rjust(len(row[at]) - 4) + b"   "
        os.write(self.file, b",".join(row) + b"\r\n")
        return time.monotonic()

    def close(self):
        os.close(self.file)


def utc_now():
    return datetime.datetime.now(datetime.timezone.utc)


def generate(path, rows, start, scenario="mixed"):
    """A log of one row a second from `start`, NVIDIA's columns; the same arguments give the same log."""
    subprocess.run(
        [GPULSE, "generate", "--seed", "7", "--rows", str(rows), "--scenario", scenario,
         "--start", start.strftime("%Y-%m-%d %H:%M:%S"), "--out", str(path)],
        check=True, stdin=subprocess.DEVNULL)
    return path


def cpu_seconds(pid):
    """CPU time of all threads of a process that are alive, in seconds, to the nanosecond."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def resident_bytes(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024


def percentile(values, share):
    """Linear interpolation between ranks, as numpy's default."""
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (at - below)


def median(values):
    return statistics.median(values)


def machine():
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (f"{model}, {os.cpu_count()} cores, {memory:.0f} GB, Linux {platform.release()}, "
            f"{datetime.date.today().isoformat()}")


def print_table(title, note, header, rows):
    """A Markdown table, in columns that also read well on a terminal."""
    cells = [header, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    def line(row):
        return "| " + " | ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths))) + " |"
    print(f"\n### {title}\n\n{note}\n")
    print(line(cells[0]))
    print("| " + " | ".join("-" * w if i == 0 else "-" * (w - 1) + ":" for i, w in enumerate(widths)) + " |")
    for row in cells[1:]:
        print(line(row))
    print(flush=True)
