"""A command of gpulse's that goes on until it is stopped, and what it says."""
import os
import signal
import subprocess
import threading
import time

PATIENCE = 60
# Windows has no SIGTERM; Wine makes Ctrl-C of this one.
STOP = signal.SIGINT if "GPULSE_WINEPREFIX" in os.environ else signal.SIGTERM


class Command:
    """As a context it is asked to stop, and has to end well."""

    def __init__(self, gpulse, *arguments, environment=None):
        self.process = subprocess.Popen([gpulse, *map(str, arguments)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        env={**os.environ, **(environment or {})})
        self.lines = []
        self.all_said = False  # it has ended
        self.news = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append(line.rstrip())
                self.news.notify_all()
        with self.news:
            self.all_said = True
            self.news.notify_all()

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        if failure:
            print(self.said(), flush=True)
        if self.process.poll() is None:
            assert self.stop() == 0, self.said()

    def said(self):
        with self.news:
            return "\n".join(self.lines)

    def wait_for(self, words, seconds=PATIENCE, count=1):
        """Until so many lines with these words were said."""
        until = time.monotonic() + seconds
        with self.news:
            while sum(words in line for line in self.lines) < count:
                left = until - time.monotonic()
                assert left > 0 and not self.all_said, f"never said {words!r}:\n" + "\n".join(self.lines)
                self.news.wait(left)

    def ends(self, seconds=PATIENCE):
        """Its exit code."""
        code = self.process.wait(seconds)
        self.reader.join(5)
        return code

    def stop(self):
        self.process.send_signal(STOP)
        return self.ends()

    def kill(self):
        self.process.kill()
        self.ends()
