#!/usr/bin/env python3
"""The real-time path in the other profiles: users, certificates and rights; ZooKeeper; one of three brokers killed,
or down.

    secure_path_test.py GPULSE [SCENARIO...]

GPULSE_FAULT_SEED chooses the moment at which a broker is killed, GPULSE_FAULT_ROUNDS how many there are.
"""
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

from real_time_path_test import (GOOD, GPULSE, REAL_LOGS, ROUNDS, SEED, ZONE, Sink, Topic, dead, dead_letters, generate,
                                 until_read)
from command import Command
from doctor import Answer
from stack import Stack, run_all, wait_until

SCENARIOS = []


def scenario(profile):
    def keep(function):
        SCENARIOS.append((profile, function))
        return function
    return keep


# --- profile secure -----------------------------------------------------------------------------------

class SecureTopic(Topic):
    """The topic that the stack gives its users rights to, over TLS and with a login."""

    def __init__(self, stack, folder, name="gpu-metrics"):
        super().__init__(stack, folder, name)
        self.authority = stack.status()["access"]["authority_file"]

    def login(self, user, password_file=None, authority=None):
        files = self.stack.status()["access"]["kafka"]["password_files"]
        return ("--user", user, "--password-file", password_file or files[user], "--ca-file", authority or self.authority)

    def produce(self, log, *options, user="producer", password_file=None, authority=None, **more):
        return super().produce(log, *self.login(user, password_file, authority), *options, **more)

    def records(self):
        """By Kafka's own consumer: Debian's kcat cannot log in."""
        properties = [word for name in ("partition", "offset", "key") for word in ("--formatter-property", f"print.{name}=true")]

        def consumed():  # the time without a record counts from the start of the JVM's consumer
            return self.stack.kafka("consume", "--topic", self.name, "--from-beginning", "--timeout-ms", "5000", "--group",
                                    f"gpulse-count-{time.monotonic_ns()}", *properties, user="sink").stdout
        for line in wait_until("records are read", consumed).splitlines():
            if line.startswith("Partition:"):
                partition, offset, key, value = line.split("\t", 3)
                yield int(partition.partition(":")[2]), int(offset.partition(":")[2]), key, json.loads(value)


class SecureSink(Sink):
    """The sink's own user and InfluxDB over TLS, with the token that may only write."""

    def __init__(self, topic):
        self.topic, self.stack = topic, topic.stack
        self.address = f"influxdbs://127.0.0.1:{self.stack.ports['influxdb']}/gpulse/{topic.name}"
        admin = topic.folder / "admin-token"
        admin.touch(0o600)
        admin.write_text(self.stack.token())
        done = subprocess.run([GPULSE, "setup", "influxdb", "--to", self.address, "--influxdb-token-file", admin,
                               "--influxdb-ca-file", topic.authority, "--tokens", topic.folder / "tokens"],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        self.token_file = topic.folder / "tokens" / "write-token"

    def run(self, *options, user="sink", password_file=None, authority=None, influx_authority=None, group=None):
        return Command(GPULSE, "sink", "influxdb", "--from", f"kafka://{self.stack.bootstrap}/{self.topic.name}", "--to",
                       self.address, "--influxdb-token-file", self.token_file, "--influxdb-ca-file",
                       influx_authority or self.topic.authority, "--group", group or f"gpulse-{self.topic.name}", "--port", 0,
                       *self.topic.login(user, password_file, authority), *options)


def another_authority(folder):
    """A certificate that signed nothing here."""
    file = folder / "another.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3",
                    "-subj", "/CN=somebody else", "-keyout", folder / "another.key", "-out", file], check=True, capture_output=True)
    return file


def guessed_password(folder):
    file = folder / "guessed"
    file.touch(0o600)
    file.write_text("guessed-by-somebody\n")
    return file


def expect_refused(command, *words):
    """It ends with 1, soon, and says what to look at."""
    assert command.ends(30) == 1, command.said()
    for word in words:
        assert word in command.said(), (word, command.said())
    assert "guessed-by-somebody" not in command.said()


@scenario("secure")
def refused_until_it_is_right_and_then_all_arrives(stack, folder):
    stack.up("kafka", "influxdb")
    topic, wrong, other = SecureTopic(stack, folder), guessed_password(folder), another_authority(folder)
    sink = SecureSink(topic)
    log = generate(folder / "log.txt", 4000, scenario="gaming,gaps,restarts")
    # produce
    expect_refused(topic.produce(log, password_file=wrong), "refused the login", "password")
    expect_refused(topic.produce(log, authority=other), "CA file")
    expect_refused(topic.produce(log, user="sink"), "no right to the topic gpu-metrics", "ACL", "the user sink")
    with Topic(stack, folder, topic.name).produce(log, state="plain") as plain:  # without TLS
        plain.wait_for("its port may be for TLS")
    with topic.produce(log) as producer:
        until_read(producer)
    topic.expect(log)
    # sink
    expect_refused(sink.run(password_file=wrong), "refused the login", "password")
    expect_refused(sink.run(authority=other), "CA file")
    expect_refused(sink.run(user="producer"), "no right to the", "ACL", "the user producer")
    expect_refused(sink.run(group="another"), "no right to the consumer group", "ACL")
    expect_refused(sink.run(influx_authority=other), "is not trusted", "--influxdb-ca-file")
    plain = ("--from", f"kafka://{stack.bootstrap}/{topic.name}", "--group", "gpulse-plain", "--port", 0, *topic.login("sink"))
    expect_refused(Command(GPULSE, "sink", "influxdb", *plain, "--to", sink.address.replace("influxdbs", "influxdb"),
                           "--influxdb-token-file", sink.token_file), "write influxdbs:// instead of influxdb://")
    with sink.run():
        sink.expect(log)
        ask_the_doctor(stack, folder, topic, sink, log)
        # More comes, by all real logs, and nothing of it was in anybody's way.
        for n, each in enumerate(REAL_LOGS):
            with topic.produce(each, gpu=f"real{n}", state=f"real-{n}") as producer:
                until_read(producer)
            sink.expect(each, gpu=f"real{n}")
    missing_rights_are_given(stack, folder, log)


def missing_rights_are_given(stack, folder, log):
    """A topic to which nobody has any right yet."""
    topic = SecureTopic(stack, folder, "elsewhere")
    sink = SecureSink(topic)

    def allow(user, *operations):
        words = [word for operation in operations for word in ("--operation", operation)]
        done = stack.kafka("acls", "--add", "--allow-principal", f"User:{user}", *words, "--topic", topic.name)
        assert done.returncode == 0, done.stderr

    expect_refused(topic.produce(log, state="elsewhere"), "no right to the topic elsewhere", "ACL", "the user producer")
    allow("producer", "Write", "Create")
    with topic.produce(log, state="elsewhere") as producer:
        until_read(producer)
    expect_refused(sink.run(), "no right to the topic elsewhere", "ACL", "the user sink")
    allow("sink", "Read")
    with sink.run():
        sink.expect(log)
    topic.expect(log)


def ask_the_doctor(stack, folder, topic, sink, log):
    """The same mistakes, as gpulse doctor tells of them."""
    broker, wrong, other = f"broker {stack.bootstrap}", folder / "guessed", folder / "another.pem"
    address = f"kafka://{stack.bootstrap}/"

    def ask(*more, topic_name="gpu-metrics", influx=False, **login):
        user = login.pop("user", "sink")
        words = ["--data", folder / "data", "--kafka", address + topic_name, *topic.login(user, **login), *more]
        if influx:
            words += ["--influxdb", sink.address, "--influxdb-token-file", sink.token_file]
        return Answer(GPULSE, *words)

    answer = ask("--group", "gpulse-gpu-metrics", "--influxdb-ca-file", topic.authority, influx=True)
    answer.expect_fine(broker, "topic gpu-metrics", "retention of gpu-metrics", "right to read gpu-metrics",
                       "group gpulse-gpu-metrics", "influxdb token", "bucket gpu-metrics")
    answer.expect(broker, "ok", "over TLS, user sink is logged in")
    answer = ask(log, "--timezone", ZONE, user="producer")
    answer.expect("right to write gpu-metrics", "ok", "user producer may")
    assert answer.code == 0, answer.said
    ask("--group", "gpulse-x", user="producer").expect("right to read gpu-metrics", "fail", "user producer may not", "User:producer")
    ask(log, "--timezone", ZONE).expect("right to write gpu-metrics", "fail", "user sink may not", "--operation Write")
    ask("--group", "another").expect("group another", "fail", "no right to the consumer group", "READ on group another")
    ask(topic_name="elsewhere").expect("topic elsewhere", "fail", "no right to the topic elsewhere")
    answer = ask(password_file=wrong)
    answer.expect(broker, "fail", "refused the login", "--password-file")
    answer.expect("topic gpu-metrics", "skip")
    assert "guessed-by-somebody" not in answer.said and answer.seconds < 8, answer.said
    answer = ask("--influxdb-ca-file", other, authority=other, influx=True)
    answer.expect(broker, "fail", "CA file", "--ca-file")
    answer.expect(f"influxdb 127.0.0.1:{stack.ports['influxdb']}", "fail", "is not trusted", "--influxdb-ca-file")
    plain = Answer(GPULSE, "--data", folder / "data", "--kafka", address + "gpu-metrics")
    plain.expect(broker, "fail", "hangs up", "--security")
    assert plain.seconds < 8, plain.seconds


# --- profile zookeeper --------------------------------------------------------------------------------

@scenario("zookeeper")
def the_whole_path_by_zookeeper(stack, folder):
    stack.up("zookeeper", "kafka", "influxdb")
    topic = Topic(stack, folder, "older")
    log = generate(folder / "log.txt", 8000, scenario="gaming,gaps,restarts")
    sink = Sink(topic)
    with topic.produce(log) as producer, sink.run():
        until_read(producer)
        sink.expect(log)
        answer = Answer(GPULSE, "--data", folder / "data", "--kafka", f"kafka://{stack.bootstrap}/older", "--group",
                        "gpulse-older")
        answer.expect_fine(f"broker {stack.bootstrap}", "topic older", "right to write older", "group gpulse-older")
    topic.expect(log)


# --- profile kraft3 -----------------------------------------------------------------------------------

@scenario("kraft3")
def one_of_three_brokers_is_killed(stack, folder):
    stack.up("kafka", "influxdb")
    moments = random.Random(SEED)
    log = generate(folder / "log.txt", 60_000)
    for each in range(ROUNDS):
        topic = Topic(stack, folder, f"three-{each}")
        sink = Sink(topic)
        victim = moments.choice(("kafka-1", "kafka-2", "kafka-3"))
        with topic.produce(log, state=f"state-{each}") as producer, sink.run():
            producer.wait_for("Ctrl-C stops")
            time.sleep(moments.uniform(0.2, 1.5))  # the moment is what the seed chooses
            stack.kill(victim)
            until_read(producer)
            sink.expect(log, seconds=120)
            ask_the_doctor_of_three(stack, folder, topic, victim)
        topic.expect(log)


def ask_the_doctor_of_three(stack, folder, topic, victim):
    """With one broker dead, and with all of them back."""
    brokers = stack.bootstrap.split(",")
    gone = brokers[int(victim[-1]) - 1]
    words = ("--data", folder / "data", "--kafka", f"kafka://{stack.bootstrap}/{topic.name}", "--group", f"gpulse-{topic.name}")
    # The cluster misses it after 6 s.
    wait_until("a copy is missed", lambda: Answer(GPULSE, *words).checks[f"topic {topic.name}"]["verdict"] == "warn")
    answer = Answer(GPULSE, *words)
    for broker in brokers:
        answer.expect(f"broker {broker}", "fail" if broker == gone else "ok")
    answer.expect(f"topic {topic.name}", "warn", "lacks a copy now", "start it")
    stack.up("kafka")
    wait_until("all copies are in step", lambda: Answer(GPULSE, *words).code == 0 and
               Answer(GPULSE, *words).checks[f"topic {topic.name}"]["verdict"] == "ok")
    Answer(GPULSE, *words[:2], "--kafka", f"kafka://{brokers[0]}/{topic.name}").expect("cluster", "warn", "3 brokers, of which one")


@scenario("kraft3")
def a_stop_before_a_dead_letter_is_kept_loses_none(stack, folder):
    """The dead letters' topic has one copy, and the broker that holds it is down."""
    stack.up("kafka", "influxdb")
    stack.make_topic("unkept")
    made = stack.kafka("topics", "--create", "--topic", "unkept-dead", "--replica-assignment", "3")
    assert made.returncode == 0, made.stderr
    stack.do("down", "kafka-3")
    # The one behind it is stored meanwhile, and its offset must not be.
    stack.produce("unkept", "poison", GOOD)
    topic = Topic(stack, folder, "unkept")
    sink = Sink(topic)
    with sink.run() as running:
        running.wait_for("set aside: ")
        wait_until("the one behind it is stored", lambda: sink.counts("late").get("x") == 1)
    assert "1 line stored, 0 set aside" in running.said() and "2 not stored yet" in running.said(), running.said()
    stack.up("kafka")
    log = generate(folder / "log.txt", 300)
    with topic.produce(log) as producer, sink.run() as running:
        until_read(producer)
        sink.expect(log)
        wait_until("the poison is kept", lambda: "0:0" in dead(topic, "list"))
    assert [value for value, _ in dead_letters(stack, topic.name)] == ["poison"]


def main():
    named = sys.argv[2:]
    chosen = [(profile, each) for profile, each in SCENARIOS if not named or each.__name__ in named]

    def bound(profile, each):
        def run(folder):
            own = pathlib.Path(tempfile.mkdtemp(prefix=f"gpulse-{profile}-"))
            try:
                with Stack(own, profile) as stack:
                    return each(stack, folder)
            finally:
                shutil.rmtree(own, ignore_errors=True)
        run.__name__ = each.__name__
        return run

    # One after the other: each is a cluster of its own on a small machine.
    return run_all("secure_path", [bound(*each) for each in chosen], workers=1)


if __name__ == "__main__":
    sys.exit(main())
