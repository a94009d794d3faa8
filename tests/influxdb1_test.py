#!/usr/bin/env python3
"""An InfluxDB 1, Debian's 1.6, at the end of the real-time path: every row of a log, by a count of each field.

    influxdb1_test.py GPULSE [SCENARIO...]
"""
import base64
import datetime
import json
import pathlib
import subprocess
import sys
import urllib.parse
import urllib.request

from real_time_path_test import GPULSE, REAL_LOGS, ZONE, Sink, Topic, dead, dead_letters, expected, generate, scraped, until_read
from command import Command
from doctor import Answer
from stack import Stack, run_all, wait_until

SCENARIOS = []


def scenario(**settings):
    def keep(function):
        SCENARIOS.append((function, settings))
        return function
    return keep


class Influxdb1(Sink):
    """gpulse sink influxdb into a database of an InfluxDB 1."""

    def __init__(self, topic):
        self.topic, self.stack = topic, topic.stack
        access = self.stack.status()["access"]["influxdb1"]
        self.url, self.login_file = access["url"], access["login_file"]
        self.ask(f'CREATE DATABASE "{topic.name}"')

    @property
    def address(self):
        return f"influxdb{'s' if self.url.startswith('https') else ''}://{self.url.partition('//')[2]}/{self.topic.name}"

    def options(self, login_file=None):
        login_file = login_file or self.login_file
        return ["--influxdb-token-file", login_file] if login_file else []

    def run(self, login_file=None, address=None, group="gpulse"):
        return Command(GPULSE, "sink", "influxdb", "--from", f"kafka://{self.stack.bootstrap}/{self.topic.name}", "--to",
                       address or self.address, "--group", group, "--port", 0, *self.options(login_file))

    def post(self, path, body):
        headers = {}
        if self.login_file:
            login = pathlib.Path(self.login_file).read_bytes().strip()
            headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
        with urllib.request.urlopen(urllib.request.Request(self.url + path, body.encode(), headers), timeout=60) as answer:
            return answer.read().decode()

    def ask(self, text):
        result = json.loads(self.post("/query", urllib.parse.urlencode({"q": text, "db": self.topic.name, "epoch": "ns"})))["results"][0]
        assert "error" not in result, result
        return [dict(zip(series["columns"], row)) for series in result.get("series", []) for row in series["values"]]

    def counts(self, gpu):
        rows = self.ask(f"SELECT count(*) FROM gpu_metrics WHERE gpu = '{gpu}'")
        return {name.removeprefix("count_"): count for row in rows for name, count in row.items() if name != "time" and count}

    def expect_values(self, log, gpu):
        rows = list(expected(log).items())
        for offset, (timestamp, _, values) in rows[:2] + rows[len(rows) // 2:][:2] + rows[-2:]:
            point, = self.ask(f"SELECT * FROM gpu_metrics WHERE gpu = '{gpu}' AND time = '{timestamp}'")
            found = {name: value for name, value in point.items() if name not in ("time", "host", "gpu", "source") and value is not None}
            assert found == {"offset": offset} | {k: v for k, v in values.items() if v is not None}, (timestamp, point)


def filled(stack, folder, name, rows=2000):
    topic = Topic(stack, folder, name)
    log = generate(folder / "log.txt", rows)
    with topic.produce(log) as producer:
        until_read(producer)
    return Influxdb1(topic), log


@scenario(authentication=True)
def every_row_is_there_behind_a_login(stack, folder):
    topic = Topic(stack, folder, "points")
    logs = [generate(folder / f"{columns}.txt", 2000, columns=columns, scenario="gaming,gaps,restarts") for columns in
            ("nvidia", "amd")] + REAL_LOGS
    for n, log in enumerate(logs):
        with topic.produce(log, gpu=f"gpu{n}", state=f"state-{n}") as producer:
            until_read(producer)
    sink = Influxdb1(topic)
    with sink.run():
        for n, log in enumerate(logs):
            sink.expect(log, gpu=f"gpu{n}")
    lines = sum(sink.wanted(log)["offset"] for log in logs)
    with sink.run(group="again") as running:  # from the beginning, into the same points
        stack.produce(topic.name, "poison")
        running.wait_for("set aside: ")
        wait_until("all is stored again", lambda: scraped(running)[0]["gpulse_sink_stored_total"] == lines)
    assert f" {lines} lines stored" in running.said(), running.said()
    for n, log in enumerate(logs):
        sink.expect(log, gpu=f"gpu{n}")


@scenario(authentication=True)
def what_is_wrong_is_said(stack, folder):
    sink, log = filled(stack, folder, "wrong", rows=50)
    wrong = folder / "wrong-login"
    wrong.touch(0o600)
    wrong.write_text("admin:no-such-password\n")
    running = sink.run(login_file=wrong)
    assert running.ends() == 1 and f"check the token in {wrong}" in running.said(), running.said()
    assert "no-such-password" not in running.said(), running.said()
    sink.topic.name = "nowhere"
    address = sink.address
    sink.topic.name = "wrong"
    running = sink.run(address=address)
    assert running.ends() == 1 and 'CREATE DATABASE "nowhere"' in running.said(), running.said()
    expect_told_of_version_2(stack, sink, log)
    kafka = ["--kafka", f"kafka://{stack.bootstrap}/wrong"]
    answer = Answer(GPULSE, *kafka, "--influxdb", sink.address, *sink.options())
    assert answer.checks["influxdb token"]["verdict"] == "ok", answer.said
    assert answer.checks["bucket wrong"]["verdict"] == "skip", answer.said
    assert "1.6" in answer.checks[f"influxdb {sink.url.partition('//')[2]}"]["found"], answer.said
    Answer(GPULSE, "--influxdb", sink.address, *sink.options(wrong)).expect("influxdb token", "fail", "does not know", "user:password")
    Answer(GPULSE, "--influxdb", sink.address).expect("influxdb token", "fail", "none is given")
    Answer(GPULSE, "--influxdb", address, *sink.options()).expect("influxdb token", "fail", "no database nowhere", "CREATE DATABASE")


def expect_told_of_version_2(stack, sink, log):
    """By the address, and by what the server says of itself."""
    with_organisation = sink.address.replace("/wrong", "/gpulse/wrong")
    for command, words in ((("setup", "influxdb", "--to", sink.address), "only an InfluxDB 2 needs setting up"),
                           (("setup", "influxdb", "--to", with_organisation), "this is for InfluxDB 2"),
                           (("verify", log, "--influxdb", sink.address), "no other can be compared"),
                           (("verify", log, "--influxdb", with_organisation), "this is for InfluxDB 2")):
        done = subprocess.run([GPULSE, *command, *sink.options()], text=True, capture_output=True, timeout=60)
        assert done.returncode and words in done.stdout + done.stderr, done


@scenario(authentication=False)
def every_row_is_there_without_a_login(stack, folder):
    sink, log = filled(stack, folder, "open")
    with sink.run():
        sink.expect(log)
    Answer(GPULSE, "--influxdb", sink.address).expect("influxdb token", "ok", "anybody may write")


@scenario(authentication=False)
def without_kafka(stack, folder):
    sink = Influxdb1(Topic(stack, folder, "straight"))
    log = generate(folder / "log.txt", 2000)
    with Command(GPULSE, "run", log, "--gpu", "gpu0", "--host", "rig", "--timezone", ZONE, "--data", folder / "data", "--port", "0",
                 "--to", sink.address):
        sink.expect(log)


# To both of these 1.6 answers 400, and has stored the rest of the batch.

@scenario(authentication=False)
def a_field_of_another_type_is_told_of(stack, folder):
    sink, log = filled(stack, folder, "conflict", rows=300)
    # A string stands where floats belong, in the log's first week.
    first = next(iter(expected(log).values()))[0]
    sink.post(f"/write?db={sink.topic.name}&precision=ns", f'gpu_metrics,host=x gpu_temperature="hot" {in_nanoseconds(first)}')
    with sink.run() as running:
        running.wait_for("dropped 300 of 300 points")
        assert "gpu_temperature" in running.said(), running.said()


@scenario(authentication=False)
def a_line_that_cannot_be_read_is_set_aside(stack, folder):
    topic = Topic(stack, folder, "refused")
    sink = Influxdb1(topic)
    row = '{"v":1,"timestamp":"%s","host":"rig","gpu":"late","source":"s","session":0,"offset":7,"metrics":{"x":1.5}}'
    stack.make_topic(topic.name)
    stack.produce(topic.name, row % "2263-01-01T00:00:00Z", row % "2026-11-24T10:00:00Z")
    with sink.run() as running:
        running.wait_for("set aside: ")
        wait_until("it is kept", lambda: "0:0" in dead(topic, "list"))
        wait_until("the other is there", lambda: sink.counts("late") == {"x": 1, "offset": 1})
    letters = [value for value, _ in dead_letters(stack, topic.name)]
    assert letters == [row % "2263-01-01T00:00:00Z"], letters
    assert "1 set aside" in running.said(), running.said()


def in_nanoseconds(timestamp):
    return int(datetime.datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()) * 10**9


def on_its_stack(function, settings):
    def run(folder):
        with Stack(folder, influxdb1=settings) as stack:
            stack.up("kafka", "influxdb1")
            function(stack, folder)
    run.__name__ = function.__name__
    return run


if __name__ == "__main__":
    named = sys.argv[2:]
    sys.exit(run_all("influxdb1", [on_its_stack(*each) for each in SCENARIOS if not named or each[0].__name__ in named],
                     workers=1))
