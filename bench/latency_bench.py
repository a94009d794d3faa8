#!/usr/bin/env python3
"""How long a row takes from the writer's write() to a client of the live push.

A log with an hour of history is followed; a row is written about twice a second, each marked by its
own reading, and the time is taken when the event with that reading has been read from the socket.
"""

import argparse
import datetime
import http.client
import json
import random
import threading
import time
import urllib.parse

from common import (LiveLog, Server, WORK, generate, machine, percentile, print_table, utc_now,
                    wait_until)

MARK = "Memory_Used"  # the column whose reading numbers the rows
METRIC = "gpu_memory_used"


class Listener(threading.Thread):
    """Notes when each marked row arrives."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=60)
        self.connection.request("GET", "/api/v1/live", headers={"Accept": "text/event-stream"})
        self.response = self.connection.getresponse()
        self.arrived = {}
        self.greeted = threading.Event()

    def run(self):
        event = None
        for line in self.response:
            now = time.monotonic()
            if line.startswith(b"event:"):
                event = line[6:].strip()
                self.greeted.set()
            elif line.startswith(b"data:") and event == b"rows":
                self.note(json.loads(line[5:]), now)

    def note(self, rows, now):
        at = 1 + rows["metrics"].index(METRIC)
        for row in rows["rows"]:
            self.arrived[int(row[at])] = now


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=200)
    rows = options.parse_args().rows
    WORK.mkdir(parents=True, exist_ok=True)

    history = 3600
    path = generate(WORK / "latency.txt", history, utc_now() - datetime.timedelta(seconds=history + 2))
    data = WORK / f"latency-data-{time.time_ns()}"
    pause = random.Random(1)
    log = LiveLog(path)
    with Server(path, data) as server:
        wait_until("the history is read", lambda: server.rows() == history)
        listener = Listener(server.url)
        listener.start()
        listener.greeted.wait(10)
        written = {}
        for number in range(rows):
            written[1_000_000 + number] = log.append(utc_now(), **{MARK: 1_000_000 + number})
            time.sleep(pause.uniform(0.3, 0.7))
        wait_until("every row arrives", lambda: len(listener.arrived.keys() & written.keys()) == rows)
    log.close()

    times = [1000 * (listener.arrived[number] - written[number]) for number in written]
    print_table(
        "From write to page",
        f"{rows} rows, from the writer's `write` returning to the server-sent event read by a client, "
        f"in milliseconds. {machine()}.",
        ["", "p50", "p95", "p99", "max", "goal (p95)"],
        [["gpulse run", *(f"{percentile(times, share):.1f}" for share in (0.5, 0.95, 0.99, 1)), "60"]])


main()
