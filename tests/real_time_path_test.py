#!/usr/bin/env python3
"""The real-time path on its real servers: what is in a log is in the topic, row for row, whatever dies.

    real_time_path_test.py GPULSE [SCENARIO...]

GPULSE_FAULT_SEED chooses the moment at which something is killed, GPULSE_FAULT_ROUNDS how many there are.
"""
import collections
import datetime
import json
import os
import pathlib
import random
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zoneinfo

TREE = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TREE / "tests" / "stack"), str(TREE / "tests" / "oracle")]
from command import Command  # noqa: E402
from faulty_influxdb import FaultyInfluxdb, shuffled_script  # noqa: E402
from oracle import number_of, read_log, rfc3339  # noqa: E402
from stack import free_port, run_on_stack, wait_until  # noqa: E402

GPULSE = pathlib.Path(sys.argv[1]).resolve()
SEED = int(os.environ.get("GPULSE_FAULT_SEED", "1"))
ROUNDS = int(os.environ.get("GPULSE_FAULT_ROUNDS", "1"))
REAL_LOGS = sorted(pathlib.Path(os.environ.get("GPULSE_REAL_LOGS") or "/nowhere").glob("*.txt"))
ZONE = "Europe/Berlin"
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def generate(path, rows, seed=1, **more):
    options = [f"--{name}={value}" for name, value in more.items()]
    subprocess.run([GPULSE, "generate", "--rows", str(rows), "--seed", str(seed), "--out", path, *options], check=True)
    return path


def expected(log):
    """By offset, what the log says of each row: (timestamp, session, readings)."""
    _, sessions, _ = read_log(log, zoneinfo.ZoneInfo(ZONE))
    rows = {}
    for session in sessions:
        names = [name for name, _ in session["columns"]]
        for offset, (time_us, readings) in zip(session["offsets"], session["rows"]):
            values = {name: None if reading is None else number_of(reading) for name, reading in zip(names, readings)}
            rows[offset] = (rfc3339(time_us), session["session"], values)
    return rows


class Topic:
    """A topic and the producers that write to it."""

    def __init__(self, stack, folder, name):
        self.stack, self.folder, self.name = stack, folder, name

    def produce(self, log, *options, gpu="gpu0", state="state"):
        return Command(GPULSE, "produce", log, "--to", f"kafka://{self.stack.bootstrap}/{self.name}", "--host", "rig",
                       "--gpu", gpu, "--timezone", ZONE, "--state", self.folder / state, "--port", 0, *options)

    def wait_until_it_holds(self, rows):
        """The topic is made by its producer, so at first there may be none, or one without a leader."""
        def holds():
            result = self.stack.kcat("-C", "-t", self.name, "-o", "beginning", "-e", "-f", "%p\n")
            return result.returncode == 0 and len(result.stdout.splitlines()) == rows
        wait_until(f"{self.name} holds {rows} records", holds)

    def records(self):
        """(partition, Kafka's offset, key, value), in the order of each partition."""
        result = self.stack.kcat("-C", "-t", self.name, "-o", "beginning", "-e", "-f", "%p %o %k %s\n")
        assert result.returncode == 0, result.stderr
        for line in result.stdout.splitlines():
            partition, offset, key, value = line.split(" ", 3)
            yield int(partition), int(offset), key, json.loads(value)

    def expect(self, log, gpu="gpu0", doubles=False):
        """Every row of the log once, in its order; `doubles`: or again, behind the mark of its partition."""
        wanted = expected(log)
        marks = collections.defaultdict(lambda: -1)
        found = {}
        partitions = set()
        for partition, _, key, value in self.records():
            if key != f"rig/{gpu}":
                continue
            partitions.add(partition)
            assert (value["v"], value["host"], value["gpu"]) == (1, "rig", gpu), value
            offset = value["offset"]
            if offset <= marks[value["source"]]:
                assert doubles, f"row at {offset} came twice"
                assert found[offset] == value, f"the double at {offset} is another"
                continue
            marks[value["source"]] = offset
            found[offset] = value
        assert len(partitions) == 1, f"one device in partitions {partitions}"
        assert list(found) == sorted(found)
        assert found.keys() == wanted.keys(), f"{len(found)} of {len(wanted)} rows; missing at {sorted(wanted.keys() - found.keys())[:5]}"
        for offset, (timestamp, session, values) in wanted.items():
            value = found[offset]
            assert (value["timestamp"], value["session"]) == (timestamp, session), (offset, value)
            assert value["metrics"] == values, (offset, value)


# A record of gpulse's own form, of no log.
GOOD = ('{"v":1,"timestamp":"2026-01-01T10:00:00Z","host":"rig","gpu":"late","source":"s","session":0,"offset":7,'
        '"metrics":{"x":1}}')


def until_set_aside(running, letters):
    """Told of is earlier than kept, which is when they are counted."""
    wait_until(f"{letters} are set aside", lambda: metrics_of(running)["gpulse_sink_set_aside_total"] == letters)


def until_read(producer, seconds=120):
    producer.wait_for("read to its end", seconds)


@scenario
def every_row_of_every_log(stack, folder):
    logs = [generate(folder / f"{columns}.txt", 3000, columns=columns, scenario="gaming,gaps,restarts") for columns in
            ("nvidia", "amd", "intel", "old")]
    if not REAL_LOGS:
        print("SKIPPED: the real logs are not there (GPULSE_REAL_LOGS)")
    for index, log in enumerate(logs + REAL_LOGS):
        topic = Topic(stack, folder, f"every-{index}")
        with topic.produce(log, state=f"state-{index}") as producer:
            until_read(producer)
        topic.expect(log)


@scenario
def rows_that_are_being_written(stack, folder):
    whole = generate(folder / "whole.txt", 400).read_bytes()
    log = folder / "live.txt"
    topic = Topic(stack, folder, "live")
    cuts = sorted(random.Random(SEED).sample(range(2000, len(whole)), 30))
    with topic.produce(log) as producer, open(log, "ab", buffering=0) as out:
        for begin, end in zip([0, *cuts], [*cuts, len(whole)]):
            out.write(whole[begin:end])
            rows = whole.count(b"\n", 0, end) - 1  # without the heading
            wait_until("its whole rows are sent", lambda: metrics_of(producer)["gpulse_produce_records_total"] == rows)
    topic.expect(log)


@scenario
def killed_at_any_moment(stack, folder):
    log = generate(folder / "log.txt", 40_000)
    moments = random.Random(SEED)
    for each in range(ROUNDS):
        topic = Topic(stack, folder, f"killed-{each}")
        producer = topic.produce(log, state=f"state-{each}")
        producer.wait_for("Ctrl-C stops")
        time.sleep(moments.uniform(0, 0.6))  # the moment is what the seed chooses
        producer.kill()
        with topic.produce(log, state=f"state-{each}") as producer:
            until_read(producer)
        topic.expect(log, doubles=True)


@scenario
def the_broker_is_killed(stack, folder):
    log = generate(folder / "log.txt", 60_000)
    moments = random.Random(SEED)
    for each in range(ROUNDS):
        topic = Topic(stack, folder, f"broker-{each}")
        with topic.produce(log, state=f"state-{each}") as producer:
            producer.wait_for("Ctrl-C stops")
            time.sleep(moments.uniform(0, 0.6))  # the moment is what the seed chooses
            stack.kill("kafka")
            stack.up("kafka")
            until_read(producer)
        topic.expect(log, doubles=True)


@scenario
def the_broker_is_away(stack, folder):
    """For a minute; in further rounds for as long as the seed chooses."""
    moments = random.Random(SEED)
    for each in range(ROUNDS):
        log = folder / f"log-{each}.txt"
        topic = Topic(stack, folder, f"away-{each}")
        stack.do("down", "kafka")
        began = time.monotonic()
        with topic.produce(log, state=f"state-{each}") as producer:
            producer.wait_for("Kafka is away")  # also while there is nothing to send yet
            generate(log, 500)
            away = 60 if each == 0 else moments.uniform(0, 12)  # how long it is away is what is under test
            time.sleep(max(0, began + away - time.monotonic()))
            stack.up("kafka")
            producer.wait_for("Kafka is back")
            until_read(producer)
            assert producer.said().count("is away") == 1, producer.said()
        topic.expect(log)


@scenario
def the_number_of_partitions_stays(stack, folder):
    log = generate(folder / "log.txt", 50)
    topic = Topic(stack, folder, "fixed")
    with topic.produce(log, "--partitions", "2") as producer:
        until_read(producer)
    other = topic.produce(log, "--partitions", "3", state="other")
    assert other.ends() == 1 and "2 partitions" in other.said(), other.said()
    result = stack.kafka("topics", "--alter", "--topic", "fixed", "--partitions", "5")
    assert result.returncode == 0, result.stderr
    grown = topic.produce(log)
    assert grown.ends() == 1 and "partitions" in grown.said(), grown.said()
    elsewhere = Topic(stack, folder, "elsewhere").produce(log)  # with the positions of the other topic
    assert elsewhere.ends() == 2 and "those of the topic fixed" in elsewhere.said(), elsewhere.said()
    missing = Topic(stack, folder, "never-made").produce(log, "--no-create-topic", state="missing")
    assert missing.ends() == 1 and "never-made" in missing.said(), missing.said()


@scenario
def four_producers_of_one_topic(stack, folder):
    topic = Topic(stack, folder, "four")
    logs = [generate(folder / f"{n}.txt", 5000, seed=n) for n in range(4)]
    producers = [topic.produce(log, gpu=f"gpu{n}", state=f"state-{n}") for n, log in enumerate(logs)]
    for producer in producers:
        with producer:
            until_read(producer)
    for n, log in enumerate(logs):
        topic.expect(log, gpu=f"gpu{n}")


class Sink:
    """gpulse sink influxdb from a topic into a bucket of its name."""

    def __init__(self, topic):
        self.topic, self.stack = topic, topic.stack
        self.stack.make_bucket(topic.name)
        self.token_file = topic.folder / "influxdb-token"
        self.token_file.touch(0o600)
        self.token_file.write_text(self.stack.token())

    def run(self, *options, port=None):
        port = port or self.stack.ports["influxdb"]
        return Command(GPULSE, "sink", "influxdb", "--from", f"kafka://{self.stack.bootstrap}/{self.topic.name}",
                       "--to", f"influxdb://127.0.0.1:{port}/gpulse/{self.topic.name}", "--influxdb-token-file", self.token_file,
                       "--group", f"gpulse-{self.topic.name}", "--port", 0, *options)

    def counts(self, gpu):
        """Points by field."""
        flux = (f'from(bucket: "{self.topic.name}") |> range(start: 0) |> filter(fn: (r) => r.gpu == "{gpu}") '
                '|> group(columns: ["_field"]) |> count() |> keep(columns: ["_field", "_value"])')
        status, text = self.stack.influx("POST", "/api/v2/query?org=gpulse", flux, kind="application/vnd.flux")
        assert status == 200, text
        lines = [line.split(",") for line in text.replace("\r", "").splitlines() if line]
        if not lines:
            return {}
        field, value = lines[0].index("_field"), lines[0].index("_value")
        return {line[field]: int(line[value]) for line in lines if line[field] != "_field"}

    def wanted(self, log):
        counts = collections.Counter()
        for _, _, values in expected(log).values():
            counts["offset"] += 1
            counts.update(name for name, value in values.items() if value is not None)
        return dict(counts)

    def expect(self, log, gpu="gpu0", seconds=90):
        wanted = self.wanted(log)
        wait_until(f"every row of {gpu} is there", lambda: self.counts(gpu).get("offset", 0) >= wanted["offset"], seconds)
        assert self.counts(gpu) == wanted
        self.expect_values(log, gpu)

    def expect_values(self, log, gpu):
        """The readings of some rows, at their instants."""
        rows = list(expected(log).items())
        for offset, (timestamp, _, values) in rows[:2] + rows[len(rows) // 2:][:2] + rows[-2:]:
            flux = (f'from(bucket: "{self.topic.name}") |> range(start: {timestamp}) |> filter(fn: (r) => r.gpu == "{gpu}" '
                    f'and r._time == {timestamp}) |> keep(columns: ["_field", "_value"])')
            status, text = self.stack.influx("POST", "/api/v2/query?org=gpulse", flux, kind="application/vnd.flux")
            assert status == 200, text
            found = {}
            for line in text.replace("\r", "").splitlines():
                cells = line.split(",")
                if len(cells) == 5 and cells[3] != "_value":
                    found[cells[4]] = float(cells[3])
                elif len(cells) == 5:
                    assert cells[4] == "_field", line
            assert found == {"offset": offset} | {k: v for k, v in values.items() if v is not None}, (timestamp, text)


@scenario
def every_row_is_in_influxdb(stack, folder):
    stack.up("influxdb")
    topic = Topic(stack, folder, "points")
    logs = [generate(folder / f"{columns}.txt", 2000, columns=columns, scenario="gaming,gaps,restarts") for columns in
            ("nvidia", "amd")] + REAL_LOGS
    for n, log in enumerate(logs):
        with topic.produce(log, gpu=f"gpu{n}", state=f"state-{n}") as producer:
            until_read(producer)
    sink = Sink(topic)
    with sink.run():
        for n, log in enumerate(logs):
            sink.expect(log, gpu=f"gpu{n}")


def filled_topic(stack, folder, name, rows=20_000):
    stack.up("influxdb")
    topic = Topic(stack, folder, name)
    log = generate(folder / "log.txt", rows)
    with topic.produce(log, state=f"state-{name}") as producer:
        until_read(producer)
    return topic, log


@scenario
def the_sink_is_killed(stack, folder):
    moments = random.Random(SEED)
    for each in range(ROUNDS):
        topic, log = filled_topic(stack, folder, f"sink-killed-{each}")
        sink = Sink(topic)
        running = sink.run()
        running.wait_for("reading partition")
        time.sleep(moments.uniform(0.0, 0.6))  # the moment is what the seed chooses
        running.kill()
        with sink.run():
            sink.expect(log)


@scenario
def influxd_is_killed(stack, folder):
    moments = random.Random(SEED)
    for each in range(ROUNDS):
        topic, log = filled_topic(stack, folder, f"influxd-killed-{each}", rows=40_000)
        sink = Sink(topic)
        with sink.run() as running:
            running.wait_for("reading partition")
            time.sleep(moments.uniform(0.0, 0.8))  # the moment is what the seed chooses
            stack.kill("influxdb")
            stack.up("influxdb")
            sink.expect(log)


def faulty_influxdb(stack, **more):
    return FaultyInfluxdb(stack.ports["influxdb"], free_port(), **more)


def expect_healed(proxy, command):
    assert proxy.healed(), f"it met {proxy.met} only; left: {proxy.script}"
    assert not proxy.impatient, f"again after {proxy.impatient} s, in spite of Retry-After"
    command.wait_for("InfluxDB is away")
    command.wait_for("InfluxDB is back")
    assert "set aside" not in command.said(), command.said()


@scenario
def influxdb_fails_and_hangs_under_the_sink(stack, folder):
    moments = random.Random(SEED)
    for each in range(ROUNDS):
        topic, log = filled_topic(stack, folder, f"faulty-{each}", rows=40_000)
        sink = Sink(topic)
        with faulty_influxdb(stack, script=shuffled_script(moments)) as proxy, sink.run(port=proxy.port) as running:
            sink.expect(log, seconds=180)
            expect_healed(proxy, running)
        assert "40000 lines stored, 0 set aside, 0 dropped" in running.said(), running.said()


@scenario
def influxdb_fails_and_hangs_under_run(stack, folder):
    stack.up("influxdb")
    moments = random.Random(SEED)
    for each in range(ROUNDS):
        sink = Sink(Topic(stack, folder, f"faulty-run-{each}"))
        log = generate(folder / "log.txt", 40_000)
        with faulty_influxdb(stack, script=shuffled_script(moments)) as proxy:
            with Command(GPULSE, "run", log, "--gpu", "gpu0", "--host", "rig", "--timezone", ZONE, "--data", folder / f"data-{each}",
                         "--port", "0", "--to", f"influxdb://127.0.0.1:{proxy.port}/gpulse/{sink.topic.name}",
                         "--influxdb-token-file", sink.token_file) as program:
                sink.expect(log, seconds=180)
                expect_healed(proxy, program)


@scenario
def an_error_that_never_heals_costs_one_record(stack, folder):
    topic, log = filled_topic(stack, folder, "unhealing", rows=2000)
    sink = Sink(topic)
    rows = list(expected(log).items())
    offset = random.Random(SEED).choice(rows)[0]
    with faulty_influxdb(stack, always_failing=f"offset={offset} ".encode()) as proxy, sink.run(port=proxy.port) as running:
        running.wait_for("set aside: ", seconds=180)  # some places are found late, after pauses of 10 s
        assert "answers 500 disturbed, again and again, while it stores others" in running.said(), running.said()
        wanted = sink.wanted(log)
        wait_until("the others are there", lambda: sink.counts("gpu0").get("offset") == wanted["offset"] - 1)
        wait_until("it is kept", lambda: "0:0" in dead(topic, "list"))
        letters = dead_letters(stack, topic.name)
        assert [json.loads(value)["offset"] for value, _ in letters] == [offset], letters
        assert "again and again" in letters[0][1]["gpulse-dead-reason"], letters
        proxy.always_failing = None
        assert "1 record was sent" in dead(topic, "resend", "--all")
        sink.expect(log)


@scenario
def kafka_is_killed_under_the_sink(stack, folder):
    moments = random.Random(SEED)
    for each in range(ROUNDS):
        topic, log = filled_topic(stack, folder, f"kafka-killed-{each}")
        sink = Sink(topic)
        with sink.run() as running:
            running.wait_for("reading partition")
            time.sleep(moments.uniform(0.0, 0.4))  # the moment is what the seed chooses
            stack.kill("kafka")
            stack.up("kafka")
            sink.expect(log)


@scenario
def a_second_sink_joins_and_leaves(stack, folder):
    stack.up("influxdb")
    moments = random.Random(SEED)
    logs = [generate(folder / f"{n}.txt", 15_000, seed=n) for n in range(4)]
    for each in range(ROUNDS):
        topic = Topic(stack, folder, f"joined-{each}")
        producers = [topic.produce(log, gpu=f"gpu{n}", state=f"state-{each}-{n}") for n, log in enumerate(logs)]
        sink = Sink(topic)
        with sink.run() as first:
            first.wait_for("reading partition")
            time.sleep(moments.uniform(0, 1))  # the moment is what the seed chooses
            with sink.run() as second:
                second.wait_for("reading partition")
                time.sleep(moments.uniform(0, 1))
            for n, log in enumerate(logs):
                sink.expect(log, gpu=f"gpu{n}")
        for producer in producers:
            with producer:
                until_read(producer)


@scenario
def a_sink_joins_while_influxdb_is_away(stack, folder):
    stack.up("influxdb")
    topic = Topic(stack, folder, "waiting")
    logs = [generate(folder / f"{n}.txt", 10_000, seed=n) for n in range(4)]
    for n, log in enumerate(logs):
        with topic.produce(log, gpu=f"gpu{n}", state=f"state-{n}") as producer:
            until_read(producer)
    sink = Sink(topic)
    stack.do("down", "influxdb")
    with sink.run() as first:
        wait_until("it holds all it can", lambda: metrics_of(first)["gpulse_sink_queued_bytes"] > 7e6)
        with sink.run() as second:
            second.wait_for("reading partition")  # of which the first has to let go
            first.wait_for("goes to another reader")
            stack.up("influxdb")
            for n, log in enumerate(logs):
                sink.expect(log, gpu=f"gpu{n}")


def dead_letters(stack, topic):
    """(value, headers), in order. No value or header of these tests has a tab or ",gpulse-" in it."""
    result = stack.kcat("-C", "-t", f"{topic}-dead", "-o", "beginning", "-e", "-f", "%s\t%h\n")
    assert result.returncode == 0, result.stderr
    letters = [line.split("\t") for line in result.stdout.splitlines()]
    return [(value, dict(header.split("=", 1) for header in headers.replace(",gpulse-", "\tgpulse-").split("\t")))
            for value, headers in letters]


def address_of(command, path):
    command.wait_for("metrics ")
    base = next(line.split()[-1] for line in command.said().splitlines() if "  metrics " in line).removesuffix("metrics")
    return base + path


def samples_at(address):
    """Each sample of a /metrics and its number."""
    with urllib.request.urlopen(address) as answer:
        lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {sample: float(number) for sample, number in (line.rsplit(" ", 1) for line in lines)}


def metrics_of(command):
    return samples_at(address_of(command, "metrics"))


def scraped(command):
    """These, and what /healthz says."""
    with urllib.request.urlopen(address_of(command, "healthz")) as answer:
        return metrics_of(command), json.load(answer)


def unwell(command):
    """What /healthz says then."""
    try:
        scraped(command)
        raise AssertionError("it is well")
    except urllib.error.HTTPError as error:
        assert error.code == 503
        return json.load(error)


@scenario
def both_ends_tell_how_they_do(stack, folder):
    topic = Topic(stack, folder, "watched")
    stack.up("influxdb")
    log = generate(folder / "log.txt", 500)
    sink = Sink(topic)
    with topic.produce(log) as producer, sink.run() as running:
        until_read(producer)
        sink.expect(log)
        sent, health = scraped(producer)
        assert sent["gpulse_produce_records_total"] == 500 and sent["gpulse_kafka_connected"] == 1, sent
        backlog = f'gpulse_log_backlog_bytes{{host="rig",gpu="gpu0",file="{log}"}}'
        assert sent[backlog] == 0 and sent["gpulse_produce_acknowledge_seconds"] > 0, sent
        assert health["status"] == "sending" and health["logs"][0]["backlog_bytes"] == 0, health
        wait_until("all is told of", lambda: scraped(running)[0]["gpulse_sink_stored_total"] == 500)
        stored, health = scraped(running)
        assert stored["gpulse_sink_records_total"] == 500 and stored["gpulse_influxdb_connected"] == 1, stored
        lags = {name: lag for name, lag in stored.items() if name.startswith("gpulse_sink_lag_records")}
        assert lags and not any(lags.values()) and stored["gpulse_process_resident_memory_bytes"] > 1e6, stored
        assert health == {"status": "reading", "kafka": "connected", "influxdb": "connected", "records": 500, "lag_records": 0}
        stack.run("down", "influxdb")
        with open(log, "ab") as out:
            out.write(log.read_bytes().splitlines(keepends=True)[-1])
        running.wait_for("InfluxDB is away")
        assert unwell(running)["influxdb"] == "away"
        stack.up("influxdb")
        running.wait_for("InfluxDB is back")
        wait_until("all is stored", lambda: metrics_of(running)["gpulse_sink_stored_total"] == 501)
        stack.do("down", "kafka")
        for command in producer, running:  # of which neither has anything to send or to read
            command.wait_for("Kafka is away")
            wait_until("it is told of", lambda: metrics_of(command)["gpulse_kafka_connected"] == 0)
            assert "away" in unwell(command).values()
        stack.up("kafka")
        for command in producer, running:
            command.wait_for("Kafka is back")
            wait_until("it is well", lambda: metrics_of(command)["gpulse_kafka_connected"] == 1)
            assert "goes to another reader" not in command.said(), command.said()


@scenario
def a_topic_that_was_made_anew_is_not_taken_for_the_old(stack, folder):
    """Its records are gone, though the positions say that the log was sent."""
    log = generate(folder / "log.txt", 50)
    topic = Topic(stack, folder, "anew")
    with topic.produce(log) as producer:
        until_read(producer)

    def kafka(*arguments):
        result = stack.kafka("topics", *arguments, "--topic", topic.name)
        assert result.returncode == 0, result.stderr
    kafka("--delete")
    gone = topic.produce(log)
    assert gone.ends() == 1 and "there is no topic anew any more" in gone.said(), gone.said()
    kafka("--create", "--partitions", "4")
    other = topic.produce(log)
    assert other.ends() == 1 and "anew was made anew" in other.said(), other.said()
    assert f"move {folder / 'state'} away" in other.said(), other.said()
    stack.do("reset", "kafka", "--yes")
    stack.up("kafka")
    elsewhere = topic.produce(log, state="state")
    assert elsewhere.ends() == 1 and "is another one than rows were sent to" in elsewhere.said(), elsewhere.said()
    (folder / "state").rename(folder / "state-of-old")
    with topic.produce(log) as producer:
        until_read(producer)
    topic.expect(log)


@scenario
def a_record_is_set_aside_once(stack, folder):
    """However often the sink is started before InfluxDB is there."""
    stack.up("influxdb")
    stack.make_topic("once", partitions=1)  # so that it is read behind all rows
    topic, log = filled_topic(stack, folder, "once", rows=100)
    stack.produce(topic.name, "no record")
    sink = Sink(topic)
    stack.do("down", "influxdb")
    for _ in range(2):
        with sink.run() as running:
            wait_until("it has read all", lambda: metrics_of(running)["gpulse_sink_records_total"] == 101)
        assert "101 not stored yet" in running.said() and "another reader" not in running.said(), running.said()
    assert f"no dead letters in {topic.name}-dead" in dead(topic, "list")
    stack.up("influxdb")
    with sink.run():
        sink.expect(log)
        wait_until("it is set aside", lambda: len(json.loads(dead(topic, "list", "--json"))) == 1)
    expect_none_set_aside_again(sink)
    assert len(json.loads(dead(topic, "list", "--json"))) == 1
    assert "name the topic that they are of, once" in dead(Topic(stack, folder, "once-dead"), "list", code=2)
    assert "there is no topic never-made" in dead(Topic(stack, folder, "never-made"), "list", code=1)


def expect_none_set_aside_again(sink):
    """Of a topic with one partition: by a record behind them."""
    sink.topic.stack.produce(sink.topic.name, GOOD)
    with sink.run() as running:
        wait_until("what is behind them is stored", lambda: metrics_of(running)["gpulse_sink_stored_total"] == 1)
        assert metrics_of(running)["gpulse_sink_set_aside_total"] == 0, running.said()


@scenario
def what_is_no_record_is_set_aside(stack, folder):
    stack.make_topic("poison", partitions=1)
    topic, log = filled_topic(stack, folder, "poison", rows=300)
    stack.produce(topic.name, "poison", '{"v":1}', "[]")
    sink = Sink(topic)
    with sink.run() as running:
        sink.expect(log)
        until_set_aside(running, 3)
    dead = dead_letters(stack, topic.name)
    assert {value for value, _ in dead} == {"poison", '{"v":1}', "[]"}, dead
    for _, headers in dead:
        assert headers["gpulse-dead-topic"] == "poison" and headers["gpulse-dead-reason"], dead
        assert headers["gpulse-dead-group"] == "gpulse-poison", dead
    expect_none_set_aside_again(sink)
    assert len(dead_letters(stack, topic.name)) == 3


def dead(topic, *arguments, code=0):
    done = subprocess.run([GPULSE, "dead", *arguments, "--from", f"kafka://{topic.stack.bootstrap}/{topic.name}"],
                          text=True, capture_output=True, timeout=60)
    assert done.returncode == code, done
    return done.stdout if code == 0 else done.stderr


@scenario
def dead_letters_are_seen_and_sent_again(stack, folder):
    topic, log = filled_topic(stack, folder, "letters", rows=300)
    assert dead(topic, "list") == "no dead letters in letters-dead\n"
    row = f'{{"v":1,"timestamp":"2026-11-24T10:00:00Z","host":"rig","gpu":"late","source":"s","session":0,"offset":7,"metrics":{{"x":1e400}}}}'
    stack.produce(topic.name, "po\tison", row, "x" * 950_000)
    sink = Sink(topic)
    with sink.run() as running:
        sink.expect(log)
        until_set_aside(running, 3)
        listed = json.loads(dead(topic, "list", "--json"))
        assert [each["resent"] for each in listed] == [False] * 3, listed
        places = {each["value_bytes"]: each["place"] for each in listed}
        assert all(each["topic"] == "letters" and each["group"] == "gpulse-letters" and each["reason"] for each in listed)
        assert row in dead(topic, "show", places[len(row)])
        assert json.loads(dead(topic, "show", places[len("po\tison")], "--json"))["value"] == "po\tison"
        assert "there is no dead letter at 7:1" in dead(topic, "show", "7:1", code=2)
        assert "was cut" in dead(topic, "resend", places[950_000], code=3)
        assert "1 record was sent" in dead(topic, "resend", places[len(row)])
        until_set_aside(running, 4)  # nothing was mended: it is as wrong as before
        assert "2 records were sent" in dead(topic, "resend", "--all")  # it, and the poison
        until_set_aside(running, 6)
        states = [line.split()[4] for line in dead(topic, "list").splitlines()[1:]]
        assert sorted(states) == ["re-sent"] * 3 + ["waiting"] * 3, states


@scenario
def a_field_of_another_type_is_told_of(stack, folder):
    topic, log = filled_topic(stack, folder, "conflict", rows=200)
    sink = Sink(topic)
    # A string stands where this field's floats belong: InfluxDB drops the whole points of that day.
    first = datetime.datetime.fromisoformat(next(iter(expected(log).values()))[0].replace("Z", "+00:00"))
    stack.write(topic.name, f'gpu_metrics,host=x gpu_temperature="hot" {int(first.timestamp())}000000000')
    with sink.run() as running:
        running.wait_for("dropped 200 of 200 points")
        assert "gpu_temperature" in running.said(), running.said()
    assert "200 dropped by InfluxDB" in running.said(), running.said()


@scenario
def what_is_wrong_is_said(stack, folder):
    topic, _ = filled_topic(stack, folder, "wrong", rows=20)
    sink = Sink(topic)
    sink.token_file.write_text("not-a-token")
    running = sink.run()
    assert running.ends() == 1 and "token" in running.said(), running.said()
    assert "not-a-token" not in running.said()
    sink.token_file.write_text(stack.token())
    sink.topic = Topic(stack, folder, "wrong")
    port = stack.ports["influxdb"]
    running = Command(GPULSE, "sink", "influxdb", "--from", f"kafka://{stack.bootstrap}/wrong", "--to",
                      f"influxdb://127.0.0.1:{port}/gpulse/no-such-bucket", "--influxdb-token-file", sink.token_file, "--group",
                      "gpulse-none", "--port", 0)
    assert running.ends() == 1 and "no-such-bucket" in running.said(), running.said()
    sink.token_file.chmod(0o644)
    running = sink.run()
    assert running.ends() == 2 and ("chmod 600" in running.said() or "icacls" in running.said()), running.said()


@scenario
def set_up_and_sent_without_kafka(stack, folder):
    """gpulse setup influxdb, and then gpulse run --to influxdb:// with the token that it made."""
    stack.up("influxdb", "kafka")
    port = stack.ports["influxdb"]
    admin = folder / "admin-token"
    admin.touch(0o600)
    admin.write_text(stack.token())
    address = f"influxdb://127.0.0.1:{port}/gpulse/straight"

    def set_up(*options):
        done = subprocess.run([GPULSE, "setup", "influxdb", "--to", address, "--influxdb-token-file", admin, "--tokens",
                               folder / "tokens", *options], text=True, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "made" in set_up()
    again = set_up()
    assert "made  " not in again and "mended" not in again, again
    token = folder / "tokens" / "write-token"
    # Wine shows an access list that has the owner alone as 0770.
    assert token.stat().st_mode & 0o777 == (0o770 if "GPULSE_WINEPREFIX" in os.environ else 0o600)
    log = generate(folder / "log.txt", 3000)
    topic = Topic(stack, folder, "straight-too")
    sink = Sink(topic)
    sink.topic.name = "straight"
    stack.do("down", "influxdb")
    config = folder / "tokens" / "gpulse.toml"  # what it names lies beside it
    config.write_text(f'to = ["{address}"]\n[influxdb]\ntoken_file = "{token.name}"\n')
    with Command(GPULSE, "run", log, "--gpu", "gpu0", "--host", "rig", "--timezone", ZONE, "--data", folder / "data",
                 "--port", "0", "--config", config, "--to", f"kafka://{stack.bootstrap}/straight-too") as program:
        program.wait_for("InfluxDB is away")
        program.wait_for("Ctrl-C stops")
        url = next(line.split()[-1] for line in program.said().splitlines() if "http://" in line)
        def rows_on_the_page():
            with urllib.request.urlopen(f"{url}api/v1/devices") as answer:
                return sum(device["rows"] for device in json.load(answer))
        wait_until("the dashboard goes on", lambda: rows_on_the_page() == 3000)
        stack.up("influxdb")
        sink.expect(log)
        topic.name = "straight-too"
        topic.wait_until_it_holds(3000)
    topic.expect(log)
    set_up("--backfill", "2020-01-01")
    flux = 'from(bucket: "straight-1h") |> range(start: 0) |> filter(fn: (r) => r._field =~ /gpu_temperature/) |> group() |> count()'
    status, text = stack.influx("POST", "/api/v2/query?org=gpulse", flux, kind="application/vnd.flux")
    assert status == 200 and text.strip(), text


if __name__ == "__main__":
    sys.exit(run_on_stack("real_time_path", SCENARIOS, ["kafka"]))
