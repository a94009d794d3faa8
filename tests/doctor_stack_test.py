#!/usr/bin/env python3
"""gpulse doctor on the real servers, well and broken, in the clear; secure_path_test.py has the rest.

    doctor_stack_test.py GPULSE [SCENARIO...]
"""
import datetime
import json
import pathlib
import subprocess
import sys

TREE = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TREE / "tests" / "stack"), str(TREE / "tests" / "follow")]
from command import Command  # noqa: E402
from doctor import Answer  # noqa: E402
from program import HEADER, now, rows  # noqa: E402
from stack import run_on_stack, wait_until  # noqa: E402

GPULSE = pathlib.Path(sys.argv[1]).resolve()
ROWS = 40
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


class Way:
    """A log of now, a topic, a bucket: all of one name, with the tokens that gpulse made for them."""

    def __init__(self, stack, folder, name):
        stack.up("kafka", "influxdb")
        self.stack, self.folder, self.name = stack, folder, name
        self.kafka = f"kafka://{stack.bootstrap}/{name}"
        self.influx = f"influxdb://127.0.0.1:{stack.ports['influxdb']}/gpulse/{name}"
        self.admin = folder / "admin-token"
        self.admin.touch(0o600)
        self.admin.write_text(stack.token())
        done = subprocess.run([GPULSE, "setup", "influxdb", "--to", self.influx, "--influxdb-token-file", self.admin,
                               "--tokens", folder / "tokens"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        self.token = folder / "tokens" / "write-token"
        self.log = folder / "live.txt"

    def produce(self):
        """Writes a live log, or the next rows of it, and sends them."""
        begun = self.log.exists()
        with open(self.log, "ab") as out:
            out.write(b"" if begun else HEADER)
            out.write(rows(0, ROWS, start=now() - datetime.timedelta(seconds=ROWS)))
        with Command(GPULSE, "produce", self.log, "--to", self.kafka, "--timezone", "UTC", "--port", 0, "--state",
                     self.folder / "state") as producer:
            producer.wait_for("read to its end")

    def sink(self):
        return Command(GPULSE, "sink", "influxdb", "--from", self.kafka, "--to", self.influx, "--influxdb-token-file",
                       self.token, "--group", f"gpulse-{self.name}", "--port", 0)

    def ask(self, *more, kafka=None, influx=None, token=None):
        return Answer(GPULSE, "--data", self.folder / "data", "--kafka", kafka or self.kafka, "--group",
                      f"gpulse-{self.name}", "--influxdb", influx or self.influx, "--influxdb-token-file",
                      token or self.token, *more)

    @property
    def group(self):
        return f"group gpulse-{self.name}"

    def lag(self):
        """Of the group, by Kafka's own tool; None before it has read anything."""
        said = self.stack.kafka("groups", "--describe", "--group", f"gpulse-{self.name}").stdout
        lags = [line.split()[5] for line in said.splitlines() if line.split()[1:2] == [self.name]]
        known = [int(lag) for lag in lags if lag != "-"]  # partitions without any record have none
        return sum(known) if known else None


@scenario
def everything_is_fine(stack, folder):
    way = Way(stack, folder, "fine")
    way.produce()
    with way.sink():
        wait_until("the group has read everything", lambda: way.ask().checks[way.group]["found"].endswith("nothing to read"))
        answer = way.ask(way.log, "--timezone", "UTC")
        answer.expect_fine("log live.txt", "growth of live.txt", "zone of live.txt", "disk", f"broker {stack.bootstrap}",
                           "topic fine", "retention of fine", "right to write fine", "right to read fine",
                           "newest record of fine", way.group, f"influxdb 127.0.0.1:{stack.ports['influxdb']}",
                           "clock beside influxdb", "influxdb token", "bucket fine")
        assert "4 partitions" in answer.checks["topic fine"]["found"], answer.said
        assert "1 member" in answer.checks[way.group]["found"], answer.said
        assert "nothing else" in answer.checks["influxdb token"]["found"], answer.said
        # Whoever may see more is told more.
        answer = way.ask(token=way.admin)
        answer.expect_fine("bucket fine", "task fine-1m", "task fine-1h", "newest row in fine")
        answer.expect("bucket fine", "ok", "for ever")


@scenario
def a_group_that_lags(stack, folder):
    way = Way(stack, folder, "lags")
    way.produce()
    way.ask().expect(way.group, "warn", "nobody has read in it yet, 40 records", "gpulse sink influxdb")
    with way.sink():
        wait_until("the group has read everything", lambda: way.lag() == 0)
    way.produce()
    answer = way.ask()
    answer.expect(way.group, "fail", "0 members, 40 records to read", "No sink is running")
    assert way.lag() == 40


@scenario
def servers_that_are_down(stack, folder):
    way = Way(stack, folder, "down")
    stack.do("down", "kafka", "influxdb")
    answer = way.ask()
    assert answer.seconds < 8, answer.seconds
    broker = way.kafka.split("/")[2]
    answer.expect(f"broker {broker}", "fail", "Connection refused", "deploy/stack status")
    answer.expect("topic down", "skip")
    answer.expect(f"influxdb 127.0.0.1:{stack.ports['influxdb']}", "fail", "Connection refused", "deploy/stack status")
    answer.expect("disk", "ok")


@scenario
def a_topic_or_bucket_that_is_missing(stack, folder):
    way = Way(stack, folder, "missing")
    answer = way.ask(influx=way.influx + "-too")
    answer.expect("topic missing", "fail", "no such topic", "gpulse produce makes it")
    answer.expect("influxdb token", "fail", "missing-too", "gpulse setup influxdb")
    answer = way.ask(influx=way.influx + "-too", token=way.admin)
    answer.expect("influxdb token", "fail", "no bucket missing-too", "gpulse setup influxdb")


@scenario
def a_token_that_is_wrong(stack, folder):
    way = Way(stack, folder, "token")
    way.produce()
    wrong = folder / "wrong-token"
    wrong.touch(0o600)
    wrong.write_text("guessed-by-somebody\n")
    answer = way.ask(token=wrong)
    answer.expect("influxdb token", "fail", "does not know", "write-token")
    assert "guessed-by-somebody" not in answer.said
    way.ask(token=folder / "tokens" / "read-token").expect("influxdb token", "fail", "may read token and not write", "write-token")
    way.token.chmod(0o644)
    answer = way.ask()
    answer.expect("influxdb token", "fail", "chmod 600")
    answer.expect(f"influxdb 127.0.0.1:{stack.ports['influxdb']}", "ok")
    assert way.token.read_text().strip() not in answer.said


@scenario
def what_is_kept_too_shortly(stack, folder):
    way = Way(stack, folder, "short")
    way.produce()
    way.ask("--topic-retention", "30d").expect("retention of short", "fail", "of the 30 days that are wanted", "2592000000")
    way.ask("--topic-retention", "7d").expect("retention of short", "ok")
    changed = stack.kafka("configs", "--alter", "--entity-type", "topics", "--entity-name", "short", "--add-config",
                          "retention.ms=7200000")
    assert changed.returncode == 0, changed.stderr
    way.ask().expect("retention of short", "warn", "2 h")
    done = subprocess.run([GPULSE, "setup", "influxdb", "--to", way.influx, "--influxdb-token-file", way.admin, "--tokens",
                           folder / "tokens", "--retention", "90d"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    way.ask(token=way.admin).expect("bucket short", "warn", "90 days")
    way.ask("--retention", "90d", token=way.admin).expect("bucket short", "ok", "90 days")
    way.ask("--retention", "365d", token=way.admin).expect("bucket short", "fail", "wanted: 365 days", "--retention 8760h")


@scenario
def tasks_that_do_not_run(stack, folder):
    way = Way(stack, folder, "tasks")

    def task(name):
        status, text = stack.influx("GET", f"/api/v2/tasks?org=gpulse&name={name}")
        assert status == 200, text
        return json.loads(text)["tasks"][0]

    assert stack.influx("PATCH", f"/api/v2/tasks/{task('tasks-1h')['id']}", {"status": "inactive"})[0] == 200
    broken = {"flux": 'option task = {name: "tasks-1m", every: 1m}\nfrom(bucket: "no-such-bucket") |> range(start: -1m)'}
    assert stack.influx("PATCH", f"/api/v2/tasks/{task('tasks-1m')['id']}", broken)[0] == 200
    assert stack.influx("POST", f"/api/v2/tasks/{task('tasks-1m')['id']}/runs", {})[0] == 201
    wait_until("the task has failed", lambda: task("tasks-1m").get("lastRunStatus") == "failed")
    answer = way.ask(token=way.admin)
    answer.expect("task tasks-1h", "fail", "switched off", "gpulse setup influxdb")
    answer.expect("task tasks-1m", "fail", "no-such-bucket", "gpulse setup influxdb")


@scenario
def rows_of_the_future(stack, folder):
    way = Way(stack, folder, "future")
    ahead = now() + datetime.timedelta(hours=3)
    stack.write("future", f"gpu_metrics,host=x,gpu=gpu0,source=s offset=1 {int(ahead.timestamp())}000000000")
    way.ask(token=way.admin).expect("newest row in future", "fail", "ahead of the clock", "--timezone")


if __name__ == "__main__":
    sys.exit(run_on_stack("doctor_stack", SCENARIOS, ["kafka", "influxdb"]))
