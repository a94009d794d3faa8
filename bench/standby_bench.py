#!/usr/bin/env python3
"""What standing by costs: `gpulse run`, for Linux and for Windows, following a log that grows by a row a
second, with 36 hours of history in its hot columns, beside Prometheus' node exporter being scraped once a
second.

All run at the same time, so that the machine treats them alike. What is resident under Wine has Wine's own
pages in it.
"""

import argparse
import contextlib
import datetime
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.request

from common import (GPULSE, GPULSE_EXE, LiveLog, WINE, Server, WORK, cpu_seconds, generate, machine, median, print_table,
                    resident_bytes, utc_now, wait_until)

EXPORTER = "127.0.0.1:19100"
HOT_ROWS = 36 * 3600


class EverySecond(threading.Thread):
    """Calls `work` at full seconds of its own start until stopped."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self.work = work
        self.stopped = threading.Event()

    def run(self):
        due = time.monotonic()
        while not self.stopped.is_set():
            self.work()
            due += 1
            self.stopped.wait(max(0.0, due - time.monotonic()))

    def stop(self):
        self.stopped.set()
        self.join()


def scrape(url):
    with urllib.request.urlopen(url, timeout=10) as response:
        response.read()
    return True


def reachable(url):
    try:
        return scrape(url)
    except OSError:
        return False


def observe(pids, seconds):
    """CPU seconds over the span and the median resident size, per process."""
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    sizes = {name: [] for name in pids}
    for _ in range(seconds):
        time.sleep(1)
        for name, pid in pids.items():
            sizes[name].append(resident_bytes(pid))
    return {name: (cpu_seconds(pid) - before[name], median(sizes[name])) for name, pid in pids.items()}


def shipped(program, folder, strip="strip"):
    """A program as it is shipped: without what debuggers read, which Wine would keep in memory, too."""
    copy = folder / pathlib.Path(program).name
    subprocess.run([strip, "-o", copy, program], check=True)
    return copy


@contextlib.contextmanager
def node_exporter():
    exporter = subprocess.Popen(
        ["prometheus-node-exporter", f"--web.listen-address={EXPORTER}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until("the node exporter answers", lambda: reachable(f"http://{EXPORTER}/metrics"))
        yield exporter.pid
    finally:
        exporter.terminate()
        exporter.wait()


@contextlib.contextmanager
def every_second(work):
    worker = EverySecond(work)
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=120)
    seconds = options.parse_args().seconds
    WORK.mkdir(parents=True, exist_ok=True)

    path = generate(WORK / "standby.txt", HOT_ROWS, utc_now() - datetime.timedelta(seconds=HOT_ROWS + 5))
    with contextlib.ExitStack() as running:
        folder = pathlib.Path(running.enter_context(tempfile.TemporaryDirectory(dir=WORK)))
        log = LiveLog(path)
        running.callback(log.close)
        programs = {"exporter": shipped(shutil.which("prometheus-node-exporter"), folder),
                    "linux": shipped(GPULSE, folder),
                    "windows": shipped(GPULSE_EXE, folder, "x86_64-w64-mingw32-strip")}
        disk = {name: program.stat().st_size for name, program in programs.items()}
        linux = running.enter_context(Server(path, folder / "standby", program=(programs["linux"],)))
        windows = running.enter_context(
            Server(path, folder / "standby-windows", program=(WINE, programs["windows"])))
        for server in (linux, windows):
            wait_until("36 h are read", lambda: server.rows() == HOT_ROWS, 120)
        pids = {"exporter": running.enter_context(node_exporter()), "linux": linux.process.pid,
                "windows": windows.process.pid}
        running.enter_context(every_second(lambda: log.append(utc_now())))
        running.enter_context(every_second(lambda: scrape(f"http://{EXPORTER}/metrics")))
        time.sleep(10)  # past the cost of reading the history
        alone = observe(pids, seconds)
        running.enter_context(every_second(lambda: scrape(linux.url + "/metrics")))
        scraped = observe(pids, seconds // 2)

    def row(name, cost, span, peer, disk=None):
        cpu, size = cost
        peer_cpu, peer_size = peer
        return [name, f"{1000 * cpu / span:.3f}", f"{cpu / peer_cpu:.3f}", f"{size / 2**20:.1f}",
                f"{size / peer_size:.2f}", f"{disk / 1e6:.1f}" if disk else ""]

    print_table(
        "Standing by",
        f"One row a second, 36 h of one device (29 metrics) in memory, over {seconds} s; the node exporter "
        f"scraped once a second at the same time. Limits: CPU 0.25 (goal 0.05), memory 3 (goal 1.5) times "
        f"the node exporter's. On disk without debug information. {machine()}.",
        ["", "CPU ms a second", "of exporter", "resident MB", "of exporter", "on disk MB"],
        [row("prometheus-node-exporter", alone["exporter"], seconds, alone["exporter"],
             disk["exporter"]),
         row("gpulse run", alone["linux"], seconds, alone["exporter"], disk["linux"]),
         row("gpulse run, /metrics scraped too", scraped["linux"], seconds // 2,
             (scraped["exporter"][0], alone["exporter"][1])),
         row("gpulse.exe run, under Wine", alone["windows"], seconds, alone["exporter"], disk["windows"])])


main()
