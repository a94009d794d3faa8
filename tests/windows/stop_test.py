#!/usr/bin/env python3
"""Ctrl-C ends gpulse.exe at once: while it follows, and while it sends to an InfluxDB that never answers.

    stop_test.py GPULSE     (build/windows/run/gpulse)
"""
import pathlib
import socket
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "follow")]
from program import HEADER, Program, row, run_all  # noqa: E402

GPULSE = pathlib.Path(sys.argv[1]).resolve()
SOON = 5  # seconds; it takes a tenth of one


class Silent:
    """Takes connections and says nothing."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connected = threading.Event()
        self.connections = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            self.connections.append(self.listener.accept()[0])
            self.connected.set()


def ends_soon(program):
    began = time.monotonic()
    program.__exit__(None)
    assert time.monotonic() - began < SOON, f"it took {time.monotonic() - began:.1f} s"


def while_it_follows(folder):
    log = folder / "log.txt"
    log.write_bytes(HEADER + row(0))
    program = Program(GPULSE, folder, log).__enter__()
    program.expect("log", [0])
    ends_soon(program)


def while_influxdb_does_not_answer(folder):
    log, token, server = folder / "log.txt", folder / "token", Silent()
    log.write_bytes(HEADER + row(0))
    token.write_text("none\n")
    token.chmod(0o600)
    program = Program(GPULSE, folder, log, options=["--to", f"influxdb://127.0.0.1:{server.port}/gpulse/gpu",
                                                    "--influxdb-token-file", token]).__enter__()
    assert server.connected.wait(60), "it does not connect"
    program.expect("log", [0])
    ends_soon(program)


if __name__ == "__main__":
    sys.exit(run_all("stop", [while_it_follows, while_influxdb_does_not_answer]))
