"""Real servers with data, for queries: InfluxDB and Prometheus, filled and scraped through gpulse's commands."""
import contextlib
import csv
import datetime
import io
import json
import pathlib
import subprocess
import sys
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "stack"))
from command import Command  # noqa: E402
from stack import Stack, free_port, wait_until  # noqa: E402

TOPIC = BUCKET = "gpu-metrics"
# With what means something in a regular expression.
HOST = "rig-1.lan"


def now():
    return datetime.datetime.now(datetime.timezone.utc)


class Servers:
    """As a context: a host with two cards, two days of one, the last hour of both and still growing."""

    def __init__(self, gpulse, folder):
        self.gpulse, self.folder = gpulse, folder
        self.stack = Stack(folder)
        self.programs = {name: free_port() for name in ("run", "produce", "sink")}
        targets = json.dumps([f"127.0.0.1:{port}" for port in self.programs.values()])
        self.stack.settings.write_text(self.stack.settings.read_text().replace("scrape = []", f"scrape = {targets}"))
        self.closing = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as closing:
            closing.enter_context(self.stack)
            self.stack.up("kafka", "influxdb", "prometheus")
            self._set_up()
            self._fill(closing)
            self.closing = closing.pop_all()
        return self

    def __exit__(self, *failure):
        self.closing.__exit__(*failure)

    # --- Filling --------------------------------------------------------------------------------

    def _set_up(self, *options):
        done = subprocess.run([self.gpulse, "setup", "influxdb", "--to", self._influxdb(), "--influxdb-token-file",
                               self.stack.status()["access"]["influxdb"]["token_file"], "--tokens", self.folder / "tokens",
                               *options], text=True, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr
        self.read_token = (self.folder / "tokens" / "read-token").read_text().strip()

    def _influxdb(self):
        return f"influxdb://127.0.0.1:{self.stack.ports['influxdb']}/gpulse/{BUCKET}"

    def _log(self, name, *options, begin=None):
        start = ["--start", begin.strftime("%Y-%m-%d %H:%M:%S")] if begin else []
        log = self.folder / f"{name}.txt"
        subprocess.run([self.gpulse, "generate", *options, *start, "--out", log], check=True, timeout=60)
        return log

    def _fill(self, closing):
        self.old_labels = self.folder / "old-labels.json"
        old = self._log("old", "--labels", self.old_labels, "--columns", "nvidia", "--scenario", "gaming,idle,mixed,power-throttle,thermal-throttle",
                        "--interval", "60", "--duration", "2d", begin=now() - datetime.timedelta(days=3))
        live = [self._log("live-nvidia", "--scenario", "thermal-throttle,power-throttle,idle,gaming", "--duration", "90m"),
                self._log("live-amd", "--columns", "amd", "--scenario", "mixed,gaming", "--duration", "90m", "--seed", "3")]
        kafka = f"kafka://{self.stack.bootstrap}/{TOPIC}"

        def start(command, *options):
            return closing.enter_context(Command(self.gpulse, command, *options))
        replay = ["--timezone", "UTC", "--replay", "1", "--history", "1h", "--loop"]
        start("produce", old, "--timezone", "UTC", "--host", HOST, "--gpu", "gpu0", "--to", kafka, "--state",
              self.folder / "produce-old", "--port", "0")
        start("produce", *live, *replay, "--host", HOST, "--gpu", "gpu0", "--gpu", "gpu1", "--to", kafka, "--state",
              self.folder / "produce", "--port", self.programs["produce"])
        start("run", live[0], *replay, "--host", HOST, "--gpu", "gpu0", "--data", self.folder / "data", "--port",
              self.programs["run"])
        start("sink", "influxdb", "--from", kafka, "--to", self._influxdb(), "--influxdb-token-file",
              self.folder / "tokens" / "write-token", "--port", self.programs["sink"])
        wait_until("the rows are in InfluxDB", lambda: self._rows() >= 2880 + 2 * 3600)
        self._set_up("--backfill", (now() - datetime.timedelta(days=4)).strftime("%Y-%m-%d"))

    def _rows(self):
        return sum(int(row["_value"]) for row in self.flux(
            f'from(bucket: "{BUCKET}") |> range(start: 0) |> filter(fn: (r) => r._field == "offset") |> count()'))

    def wait_for_scrapes(self):
        """Until Prometheus looked often enough at every program for a rate, also over the shortest time."""
        wait_until("three scrapes of each program", lambda: [
            each for each in self.prometheus('count_over_time(up{job="gpulse"}[1m]) >= 3 and up{job="gpulse"} == 1')
        ].__len__() == len(self.programs), 90)

    # --- Asking, with the rights that Grafana has -----------------------------------------------

    def _ask(self, url, body=None, **headers):
        call = urllib.request.Request(url, data=body.encode() if body else None, headers=headers)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(call, timeout=60) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{error.code}: {error.read().decode()}") from None

    def flux(self, text):
        """Rows, as dictionaries."""
        answer = self._ask(f"http://127.0.0.1:{self.stack.ports['influxdb']}/api/v2/query?org=gpulse", text,
                           Authorization=f"Token {self.read_token}", **{"Content-Type": "application/vnd.flux"})
        rows, heading = [], None
        for cells in csv.reader(io.StringIO(answer)):
            if cells[1:3] == ["result", "table"]:
                heading = cells[3:]
            elif cells[1:2] == ["error"]:
                heading = None
            elif cells:
                assert heading is not None, f"{cells} of {text}"
                rows.append(dict(zip(heading, cells[3:])))
        return rows

    def influxql(self, text):
        """(tags, time, value)"""
        query = urllib.parse.urlencode({"db": BUCKET, "epoch": "ms", "q": text})
        answer = json.loads(self._ask(f"http://127.0.0.1:{self.stack.ports['influxdb']}/query?{query}",
                                      Authorization=f"Token {self.read_token}"))
        [result] = answer["results"]
        assert "error" not in result, f"{result} of {text}"
        return [(series.get("tags", {}), time, value) for series in result.get("series", []) for time, value in series["values"]]

    def _prometheus(self, path, **parameters):
        url = f"http://127.0.0.1:{self.stack.ports['prometheus']}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        answer = json.loads(self._ask(url))
        assert answer["status"] == "success", answer
        return answer["data"]

    def prometheus(self, expression):
        """Now: (labels, value)"""
        return [(each["metric"], float(each["value"][1])) for each in self._prometheus("query", query=expression)["result"]]

    def prometheus_range(self, expression, times):
        result = self._prometheus("query_range", query=expression, start=times.start.timestamp(), end=times.stop.timestamp(),
                                  step=times.interval_s)["result"]
        return [(each["metric"], float(value)) for each in result for _, value in each["values"]]

    def label_values(self, selector, label):
        return self._prometheus(f"label/{label}/values", **{"match[]": selector})
