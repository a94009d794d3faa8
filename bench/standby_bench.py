#!/usr/bin/env python3
"""What standing by costs: `gpulse run` following a log that grows by a row a second, with 36 hours of
history in its hot columns, beside Prometheus' node exporter being scraped once a second.

Both run at the same time, so that the machine treats them alike.
"""

import argparse
import datetime
import shutil
import subprocess
import threading
import time
import urllib.request

from common import (LiveLog, Server, WORK, cpu_seconds, generate, machine, median, print_table,
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


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=120)
    seconds = options.parse_args().seconds
    WORK.mkdir(parents=True, exist_ok=True)

    path = generate(WORK / "standby.txt", HOT_ROWS, utc_now() - datetime.timedelta(seconds=HOT_ROWS + 5))
    data = WORK / f"standby-data-{time.time_ns()}"
    log = LiveLog(path)
    exporter = subprocess.Popen(
        ["prometheus-node-exporter", f"--web.listen-address={EXPORTER}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    workers = []
    try:
        with Server(path, data) as server:
            wait_until("36 h are read", lambda: server.rows() == HOT_ROWS, 120)
            wait_until("the node exporter answers", lambda: reachable(f"http://{EXPORTER}/metrics"))
            workers = [EverySecond(lambda: log.append(utc_now())),
                       EverySecond(lambda: scrape(f"http://{EXPORTER}/metrics"))]
            for worker in workers:
                worker.start()
            time.sleep(10)  # past the cost of reading the history
            pids = {"gpulse": server.process.pid, "exporter": exporter.pid}
            alone = observe(pids, seconds)
            workers.append(EverySecond(lambda: scrape(server.url + "/metrics")))
            workers[-1].start()
            scraped = observe(pids, seconds // 2)
    finally:
        for worker in workers:
            worker.stop()
        exporter.terminate()
        exporter.wait()
        log.close()
        shutil.rmtree(data, ignore_errors=True)

    def row(name, cost, span, peer):
        cpu, size = cost
        peer_cpu, peer_size = peer
        return [name, f"{1000 * cpu / span:.3f}", f"{cpu / peer_cpu:.3f}", f"{size / 2**20:.1f}",
                f"{size / peer_size:.2f}"]

    print_table(
        "Standing by",
        f"One row a second, 36 h of one device (29 metrics) in memory, over {seconds} s; the node exporter "
        f"scraped once a second at the same time. Limits: CPU 0.25 (goal 0.05), memory 3 (goal 1.5) times "
        f"the node exporter's. {machine()}.",
        ["", "CPU ms a second", "of exporter", "resident MB", "of exporter"],
        [row("prometheus-node-exporter", alone["exporter"], seconds, alone["exporter"]),
         row("gpulse run", alone["gpulse"], seconds, alone["exporter"]),
         row("gpulse run, /metrics scraped too", scraped["gpulse"], seconds // 2,
             (scraped["exporter"][0], alone["exporter"][1]))])


main()
