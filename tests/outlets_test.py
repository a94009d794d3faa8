#!/usr/bin/env python3
"""What `gpulse run --to` sends beside keeping it: where InfluxDB refuses rows, where Kafka goes away or its topic grows, and of logs
that are dropped on the page.

    outlets_test.py GPULSE [SCENARIO...]
"""
import json
import subprocess
import sys
import urllib.parse
import urllib.request

from real_time_path_test import GPULSE, ZONE, Sink, Topic, expected, faulty_influxdb, generate, samples_at
from command import Command
from stack import run_on_stack, wait_until

SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


class Outlet:
    """gpulse run with an InfluxDB beside it, in a bucket of its own."""

    def __init__(self, stack, folder, name):
        self.sink = Sink(Topic(stack, folder, name))
        self.folder, self.name = folder, name
        self.port = stack.ports["influxdb"]

    def run(self, *logs):
        return Command(GPULSE, "run", *logs, *(("--gpu", "gpu0") if logs else ()), "--host", "rig", "--timezone", ZONE, "--data",
                       self.folder / "data", "--port", 0, "--to", f"influxdb://127.0.0.1:{self.port}/gpulse/{self.name}",
                       "--influxdb-token-file", self.sink.token_file)

    @property
    def dead_file(self):
        file, = (self.folder / "data" / "to").glob("*/dead.jsonl")
        return file

    def dead(self, command, *arguments, code=0):
        done = subprocess.run([GPULSE, "dead", command, *arguments, "--from", self.dead_file, *(
            ["--influxdb-token-file", self.sink.token_file] if command == "resend" else [])], text=True, capture_output=True, timeout=60)
        assert done.returncode == code, done
        return done.stdout + done.stderr

    def letters(self):
        return {letter["place"]: letter for letter in json.loads(self.dead("list", "--json"))}


def page_of(program):
    program.wait_for("Ctrl-C stops")
    return next(line.split()[-1] for line in program.said().splitlines() if "http://" in line)


def outlet_of(program):
    with urllib.request.urlopen(page_of(program) + "api/v1/outlets", timeout=20) as answer:
        outlet, = json.load(answer)
    return outlet


def metrics_of(program):
    """By name: there is one outlet and one device."""
    return {sample.partition("{")[0]: number for sample, number in samples_at(page_of(program) + "metrics").items()}


def drop_on_the_page(program, log, **names):
    """Returns when the page's own import of it has ended."""
    base = page_of(program) + "api/v1/logs"
    query = urllib.parse.urlencode({"name": log.name, "timezone": ZONE, **names})
    with urllib.request.urlopen(urllib.request.Request(f"{base}?{query}", log.read_bytes())) as answer:
        job = json.load(answer)["job"]

    def state():
        with urllib.request.urlopen(f"{base}/{job}") as answer:
            return json.load(answer)["state"]
    wait_until("it is imported", lambda: state() not in ("waiting", "reading"))
    assert state() == "done", state()


@scenario
def what_influxdb_refuses_is_kept_and_sent_again(stack, folder):
    stack.up("influxdb")
    outlet = Outlet(stack, folder, "refused")
    log = generate(folder / "log.txt", 600)
    lines = log.read_bytes().splitlines(keepends=True)
    lines[400] = b"2263-01-01 00:00:00" + lines[400][19:]  # beyond InfluxDB's time
    log.write_bytes(b"".join(lines))
    rows = list(expected(log))
    failing, beyond = rows[100], rows[399]
    with faulty_influxdb(stack, always_failing=f"offset={failing} ".encode()) as proxy:
        outlet.port = proxy.port
        with outlet.run(log) as program:
            wait_until("both are set aside", lambda: metrics_of(program)["gpulse_outlet_set_aside_total"] == 2, 90)
            wait_until("the others are there", lambda: outlet.sink.counts("gpu0").get("offset") == 598)
            told = metrics_of(program)
            assert told["gpulse_outlet_not_kept_total"] == 0 and told["gpulse_outlet_connected"] == 1, told
            assert program.said().count("refuses the row at byte") == 1, program.said()
        letters = outlet.letters()
        assert {letter["offset"] for letter in letters.values()} == {failing, beyond}, letters
        places = {letter["offset"]: place for place, letter in letters.items()}
        assert all(letter["key"] == "rig/gpu0" and not letter["resent"] and letter["reason"] for letter in letters.values())
        assert "again and again" in letters[places[failing]]["reason"], letters
        shown = json.loads(outlet.dead("show", places[beyond], "--json"))
        assert f"offset={beyond} " in shown["value"] and shown["to"].endswith("/refused"), shown
        assert f"byte {beyond} of the log" in outlet.dead("show", places[beyond])
        with open(log, "ab") as out:
            out.write(lines[-1])
        with outlet.run(log) as program:  # what was refused is behind its position
            wait_until("what is new is sent", lambda: metrics_of(program)["gpulse_outlet_rows_total"] == 1)
            assert metrics_of(program)["gpulse_outlet_set_aside_total"] == 0, program.said()
        assert outlet.letters() == letters
        assert "there is no dead letter at 77" in outlet.dead("show", "77", code=2)
        proxy.always_failing = None
        assert "1 record was sent" in outlet.dead("resend", places[failing])
        assert outlet.sink.counts("gpu0")["offset"] == 600
        assert "is refused again" in outlet.dead("resend", "--all")
        states = [(letter["offset"], letter["resent"]) for letter in outlet.letters().values()]
        assert sorted(states) == sorted([(failing, True), (beyond, False)]), states
    with open(outlet.dead_file, "a") as out:  # a kill cut the last line short
        out.write('{"time":"2026')
    assert len(outlet.letters()) == 2


@scenario
def a_full_file_of_dead_letters_is_told_of(stack, folder):
    stack.up("influxdb")
    outlet = Outlet(stack, folder, "full")
    log = generate(folder / "log.txt", 50)
    log.write_bytes(log.read_bytes().replace(b"2026-01-01", b"2263-01-01"))
    own = folder / "data" / "to" / f"influxdb_3a_2f_2f127.0.0.1_3a{outlet.port}_2fgpulse_2ffull"
    own.mkdir(parents=True)
    (own / "dead.jsonl").write_bytes(b" " * ((16 << 20) - 2000) + b"\n")
    with outlet.run(log) as program:
        program.wait_for("is full")
        wait_until("all are refused", lambda: metrics_of(program)["gpulse_outlet_set_aside_total"] == 50)
        kept = len(outlet.letters())
        assert 0 < kept < 5 and metrics_of(program)["gpulse_outlet_not_kept_total"] == 50 - kept, outlet.letters()
        assert program.said().count("is full") == 1
    assert (own / "dead.jsonl").stat().st_size < 16 << 20


@scenario
def a_log_dropped_on_the_page_is_sent_too(stack, folder):
    stack.up("influxdb")
    outlet = Outlet(stack, folder, "dropped")
    first, second = (generate(folder / f"{name}.txt", 3000, seed=n) for n, name in enumerate(("first", "second")))
    followed = generate(folder / "followed.txt", 500, seed=3)
    with outlet.run() as program:
        drop_on_the_page(program, first)
        outlet.sink.expect(first, gpu="first")
    stack.do("down", "influxdb")
    with outlet.run(followed) as program:
        program.wait_for("InfluxDB is away")
        drop_on_the_page(program, second, gpu="gpu0")  # which the followed one has
        program.kill()
    stack.up("influxdb")
    with outlet.run(followed) as program:
        outlet.sink.expect(second, gpu="gpu0-2")
        outlet.sink.expect(followed)
        drop_on_the_page(program, second)
        wait_until("what was sent is kept no longer", lambda: not [*(folder / "data").glob("to/*/uploads/*"), *(folder / "data").glob("to/*/inbox/*")])
    outlet.sink.expect(second, gpu="gpu0-2")


@scenario
def a_dropped_log_waits_for_a_token_that_may_write(stack, folder):
    stack.up("influxdb")
    outlet = Outlet(stack, folder, "later")
    log = generate(folder / "log.txt", 300)
    outlet.sink.token_file.write_text("not-a-token")
    with outlet.run() as program:
        drop_on_the_page(program, log)
        program.wait_for("gets no more rows until the next start")
        assert outlet_of(program)["state"] == "refused" and "token" in outlet_of(program)["reason"], outlet_of(program)
    outlet.sink.token_file.write_text(stack.token())
    with outlet.run():
        outlet.sink.expect(log, gpu="log")


@scenario
def kafka_goes_away_and_its_topic_grows(stack, folder):
    topic = Topic(stack, folder, "beside")
    log = generate(folder / "log.txt", 500)

    def run():
        return Command(GPULSE, "run", log, "--gpu", "gpu0", "--host", "rig", "--timezone", ZONE, "--data", folder / "data", "--port", 0,
                       "--to", f"kafka://{stack.bootstrap}/{topic.name}")

    def again_the_last_row():
        with open(log, "ab") as out:
            out.write(log.read_bytes().splitlines(keepends=True)[-1])
    with run() as program:
        topic.wait_until_it_holds(500)
        assert metrics_of(program)["gpulse_outlet_connected"] == 1
        wait_until("all are acknowledged", lambda: outlet_of(program)["rows"] == 500)
        assert outlet_of(program)["state"] == "connected" and outlet_of(program)["last_taken"], outlet_of(program)
        stack.do("down", "kafka")
        again_the_last_row()
        wait_until("it is told of", lambda: metrics_of(program)["gpulse_outlet_connected"] == 0)
        assert outlet_of(program)["state"] == "away" and outlet_of(program)["reason"], outlet_of(program)
        wait_until("the page has the row", lambda: metrics_of(program)["gpulse_rows_total"] == 501)
        stack.up("kafka")
        topic.wait_until_it_holds(501)
        wait_until("it is back", lambda: metrics_of(program)["gpulse_outlet_connected"] == 1)
        wait_until("it has all", lambda: outlet_of(program)["rows"] == 501)
    topic.expect(log)
    stack.do("down", "kafka")
    with run() as program:
        wait_until("it is told of", lambda: metrics_of(program)["gpulse_outlet_connected"] == 0)
    assert "no more rows" not in program.said(), program.said()
    with run() as program:
        wait_until("it is away", lambda: outlet_of(program)["state"] == "away")
        again_the_last_row()
        stack.up("kafka")
        wait_until("it has the new row", lambda: outlet_of(program)["rows"] == 1)
        assert outlet_of(program)["state"] == "connected" and not outlet_of(program)["reason"], outlet_of(program)
    result = stack.kafka("topics", "--alter", "--topic", topic.name, "--partitions", "5")
    assert result.returncode == 0, result.stderr
    again_the_last_row()
    with run() as program:
        program.wait_for("gets no more rows until the next start")
        assert outlet_of(program)["state"] == "refused" and "partitions" in outlet_of(program)["reason"], outlet_of(program)
        assert "has 5 partitions and not 4" in program.said(), program.said()
    assert len(list(topic.records())) == 502


if __name__ == "__main__":
    sys.exit(run_on_stack("outlets", SCENARIOS, ["kafka", "influxdb"]))
