#!/usr/bin/env python3
"""src/kafka on real brokers: what goes in comes out, equal, in order and once, whatever happens to the broker.

    broker_test.py GPULSE KAFKA_PROBE [SCENARIO...]
"""
import concurrent.futures
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "stack"))
from stack import TREE, Stack, wait_until  # noqa: E402

sys.path.insert(0, str(TREE / "deploy"))
from native import kafka as native_kafka, settings as native_settings  # noqa: E402

GPULSE, PROBE = sys.argv[1:3]
SCENARIOS = []
DEVICE = "rig/gpu0"


def scenario(profile):
    def listed(function):
        SCENARIOS.append((profile, function))
        return function
    return listed


# --- the log, read by the plainest means ------------------------------------------------------------

def make_log(folder, rows):
    log = folder / f"log-{rows}.txt"
    if not log.exists():
        subprocess.run([GPULSE, "generate", "--rows", str(rows), "--out", log], check=True)
    return log


def rows_of(log):
    """(byte offset, the readings as the text has them, None for an absent one) of every row."""
    rows, offset = [], 0
    for number, line in enumerate(log.read_bytes().splitlines(keepends=True)):
        if number:
            cells = [cell.strip().decode() for cell in line.split(b",")[1:-1]]
            rows.append((offset, [None if cell in ("", "-") else cell for cell in cells]))
        offset += len(line)
    return rows


def records_of(text):
    """(partition, offset in the topic, the record with its numbers as text) of what the probe printed."""
    records = []
    for line in text.splitlines():
        partition, offset, key, value = line.split(" ", 3)
        assert key == DEVICE, key
        records.append((int(partition), int(offset), json.loads(value, parse_float=str, parse_int=str)))
    return records


def by_mark(records):
    """Without what a consumer of ours drops: an offset at or below the last of its source."""
    kept, mark = [], -1
    for _, _, record in records:
        if int(record["offset"]) > mark:
            mark = int(record["offset"])
            kept.append(record)
    return kept


def expect_equal(records, rows):
    found = [(int(record["offset"]), list(record["metrics"].values())) for record in records]
    assert len(found) == len(rows), f"{len(found)} records of {len(rows)} rows"
    for one, other in zip(found, rows):
        assert one == other, f"{one}\n{other}"


# --- the probe --------------------------------------------------------------------------------------

class Broker:
    def __init__(self, stack):
        self.stack = stack
        self.environment = {name: value for name, value in os.environ.items() if name != "GPULSE_KAFKA_PASSWORD"}

    def address(self, topic):
        return f"kafka://127.0.0.1:{self.stack.ports['kafka']}/{topic}"

    def command(self, verb, topic, *arguments):
        before = [arguments[0]] if verb == "produce" else []
        return [PROBE, verb, *map(str, before), self.address(topic), *map(str, arguments[len(before):])]

    def run(self, verb, topic, *arguments, password=None):
        environment = self.environment | ({"GPULSE_KAFKA_PASSWORD": password} if password else {})
        return subprocess.run(self.command(verb, topic, *arguments), env=environment, text=True, capture_output=True,
                              timeout=120)

    def do(self, *arguments, **more):
        result = self.run(*arguments, **more)
        assert result.returncode == 0, f"{arguments}: {result.stdout[-300:]}{result.stderr}"
        return result

    def refused(self, *arguments, saying, **more):
        result = self.run(*arguments, **more)
        assert result.returncode != 0, f"{arguments} went on: {result.stdout[-300:]}"
        errors = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1 and all(word in errors[0] for word in saying), result.stderr

    def start(self, *arguments):
        return subprocess.Popen(self.command(*arguments), env=self.environment, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def consume(self, topic, group, count, *settings):
        return records_of(self.do("consume", topic, group, count, *settings).stdout)

    def end(self, topic):
        lines = self.do("lag", topic, "nobody").stdout.splitlines()[2:]
        return sum(int(line.split()[6]) for line in lines)

    def tool(self, java_class, *arguments):
        """One of Kafka's tools that deploy/stack does not offer."""
        settings = native_settings.load(self.stack.settings, None)
        native_kafka.run_java(settings, [java_class, "--bootstrap-server", native_kafka.bootstrap(settings), *arguments],
                              java_class)

    def change_topic(self, topic, setting):
        result = self.stack.kafka("configs", "--alter", "--topic", topic, "--add-config", setting)
        assert result.returncode == 0, result.stdout + result.stderr


# --- scenarios --------------------------------------------------------------------------------------

@scenario("kraft")
def comes_out_equal_in_order_and_once(broker, folder):
    log = make_log(folder, 100_000)
    rows = rows_of(log)
    assert len(rows) == 100_000
    done = broker.do("produce", "equal", log, 4096)
    assert done.stdout.startswith("100000 records ") and " 4 partitions" in done.stdout, done.stdout
    records = broker.consume("equal", "reader", 100_000)
    assert len({partition for partition, _, _ in records}) == 1, "a device is in one partition"
    expect_equal([record for _, _, record in records], rows)
    assert broker.end("equal") == 100_000, "once"
    assert broker.consume("equal", "reader", 1, "timeout=2") == [], "a group goes on where it stood"
    lag = broker.do("lag", "equal", "reader").stdout
    assert "reader" in lag and "committed 100000 begin 0 end 100000 lag 0" in lag, lag


@scenario("kraft")
def a_broker_killed_in_mid_stream_loses_and_reorders_nothing(broker, folder):
    log = make_log(folder, 100_000)
    producer = broker.start("produce", "killed", log, 50)
    wait_until("some of it is there", lambda: broker.run("lag", "killed", "nobody").returncode == 0 and
               broker.end("killed") > 2_000)
    broker.stack.kill("kafka")
    time.sleep(1)
    broker.stack.up("kafka")
    out, errors = producer.communicate(timeout=120)
    assert producer.returncode == 0, errors
    told = [line.partition(":")[0] for line in errors.splitlines() if line.startswith(("away", "back"))]
    assert told == ["away", "back"], errors
    records = broker.consume("killed", "reader", broker.end("killed"), "timeout=5")
    print(f"    {len(records) - 100_000} doubles; {out.strip()}")
    expect_equal(by_mark(records), rows_of(log))


@scenario("kraft")
def the_number_of_partitions_is_not_changed(broker, folder):
    log = make_log(folder, 300)
    broker.do("produce", "three", log, 100, "partitions=3")
    broker.do("produce", "three", log, 100)
    broker.refused("produce", "three", log, 100, "partitions=4", saying=["3 partitions and not 4", "Ask for 3"])
    broker.refused("produce", "missing", log, 100, "create=0", saying=["there is no topic missing"])
    result = broker.stack.kafka("topics", "--describe", "--topic", "missing")
    assert "PartitionCount" not in result.stdout, "it was made all the same"


@scenario("kraft")
def a_stop_is_seen_at_once(broker, folder):
    log = make_log(folder, 300)
    broker.do("produce", "stopped", log, 100)
    pid = broker.stack.pids()["kafka"]
    os.kill(pid, signal.SIGSTOP)
    try:
        late = []
        for _ in range(3):
            result = broker.run("produce", "stopped", log, 100, "stop_after=500")
            assert "error (retryable): stopped" in result.stderr, result.stderr
            late.append(int(result.stdout.split()[2]))
    finally:
        os.kill(pid, signal.SIGCONT)
    broker.stack.do("down", "kafka")
    try:
        for _ in range(3):
            result = broker.run("produce", "stopped", log, 100, "stop_when_away=1")
            assert "away: " in result.stderr and "stopped" in result.stderr, result.stderr
            late.append(int(result.stdout.split()[2]))
    finally:
        broker.stack.up("kafka")
    print(f"    late by {late} ms")
    # Generous: a machine that does other things at the same time is late, too.
    assert max(late) < 3000, late


@scenario("kraft")
def a_record_that_is_too_large_goes_alone(broker, folder):
    log = make_log(folder, 300)
    rows = rows_of(log)
    broker.do("produce", "small", log, 300)
    begin = broker.end("small")
    broker.change_topic("small", "max.message.bytes=3000")
    # 300 rows are one batch, which is too large; none of them is.
    done = broker.do("produce", "small", log, 300, "compression=none")
    assert done.stdout.startswith("300 records ") and " 0 refused" in done.stdout, done.stdout
    broker.change_topic("small", "max.message.bytes=500")
    few = make_log(folder, 30)
    refused = broker.do("produce", "small", few, 3, "compression=none")
    assert " 30 refused" in refused.stdout, refused.stdout
    told = [line for line in refused.stderr.splitlines() if line.startswith("refused: ")]
    assert [int(line.split()[3].rstrip(":")) for line in told] == [offset for offset, _ in rows_of(few)], told[:3]
    records = broker.consume("small", "reader", begin + 300)
    expect_equal(by_mark(records[begin:]), rows)


@scenario("kraft")
def what_retention_removed_is_a_loss_of_so_many(broker, folder):
    log = make_log(folder, 1000)
    broker.do("produce", "short", log, 100, "partitions=1")
    assert len(broker.consume("short", "late", 100)) == 100
    removed = folder / "removed.json"
    removed.write_text(json.dumps({"version": 1, "partitions": [{"topic": "short", "partition": 0, "offset": 350}]}))
    broker.tool("org.apache.kafka.tools.DeleteRecordsCommand", "--offset-json-file", str(removed))
    broker.refused("consume", "short", "late", 10, saying=["250 records (100 to 349)", "accept that loss"])
    assert len(broker.consume("short", "new", 650)) == 650, "to a new group nothing is lost"
    result = broker.do("consume", "short", "late", 650, "accept_loss=1")
    assert "loss: 0 from 100 until 350" in result.stderr, result.stderr
    assert [offset for _, offset, _ in records_of(result.stdout)] == list(range(350, 1000))


@scenario("kraft")
def a_second_member_takes_over_without_a_gap(broker, folder):
    log = make_log(folder, 20_000)
    broker.do("produce", "shared", log, 1000)
    # All rows are of one device, and so in one partition: one of the two reads it.
    first = broker.start("consume", "shared", "both", 5000)
    begun = first.stdout.readline()
    second = broker.start("consume", "shared", "both", 20_000, "timeout=8")
    # Both at once: who is not listened to waits, and so does not poll.
    with concurrent.futures.ThreadPoolExecutor() as pool:
        taken_over = pool.submit(second.communicate, timeout=60)
        one = records_of(begun + first.stdout.read())
        assert first.wait() == 0, first.stderr.read()
        first.stderr.close()
        first.stdout.close()
        out, errors = taken_over.result()
    other = records_of(out)
    offsets = {offset for _, offset, _ in one + other}
    assert offsets == set(range(20_000)), f"{len(offsets)} of 20000: {errors}"
    assert one and other, f"{len(one)} and {len(other)}"
    print(f"    {len(one)} and {len(other)}, {len(one) + len(other) - 20_000} of them twice")


@scenario("secure")
def what_is_refused_names_its_cure(broker, folder):
    log = make_log(folder, 300)
    access = broker.stack.folder / "secrets"
    password = {user: (access / f"kafka-{user}-password").read_text().strip() for user in ("producer", "sink")}
    ca = f"ca={access}/tls/ca.pem"

    def login(user, *more):
        return ["security=sasl-tls", f"user={user}", *more]

    for mechanism in ("scram-sha-512", "scram-sha-256"):
        done = broker.do("produce", "gpu-metrics", log, 100, *login("producer", ca, f"mechanism={mechanism}"),
                         password=password["producer"])
        assert done.stdout.startswith("300 records "), done.stdout
    got = broker.do("consume", "gpu-metrics", "gpulse-sink", 600, *login("sink", ca), password=password["sink"])
    expect_equal(by_mark(records_of(got.stdout)), rows_of(log))
    broker.refused("produce", "gpu-metrics", log, 100, *login("producer", ca), password="wrong",
                   saying=["refused the login", "password"])
    broker.refused("consume", "gpu-metrics", "gpulse-sink", 1, *login("sink", ca), password="wrong",
                   saying=["refused the login", "password"])
    broker.refused("produce", "gpu-metrics", log, 100, *login("producer"), password=password["producer"],
                   saying=["CA file", "certificate verify failed"])
    broker.refused("produce", "gpu-metrics", log, 100, *login("sink", ca), password=password["sink"],
                   saying=["user sink", "topic gpu-metrics", "ACL"])
    broker.refused("produce", "elsewhere", log, 100, *login("producer", ca), password=password["producer"],
                   saying=["user producer", "ACL"])
    broker.refused("consume", "gpu-metrics", "foreign", 1, *login("sink", ca), password=password["sink"],
                   saying=["consumer group", "ACL"])
    broker.refused("produce", "gpu-metrics", log, 100, "user=producer", password=password["producer"],
                   saying=["needs the security sasl-tls"])
    for text in (password["producer"], password["sink"]):
        assert text not in done.stderr + got.stderr


def run(profile, chosen):
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with Stack(folder, profile) as stack:
            stack.up("kafka")
            for _, function in chosen:
                began = time.monotonic()
                try:
                    function(Broker(stack), folder)
                    result = "ok"
                except (AssertionError, subprocess.SubprocessError) as error:
                    failed += 1
                    result = f"FAILED: {error}"
                print(f"  {function.__name__} ({profile}, {time.monotonic() - began:.1f} s): {result}", flush=True)
    return failed


def main():
    chosen = [one for one in SCENARIOS if not sys.argv[3:] or one[1].__name__ in sys.argv[3:]]
    assert chosen, f"there are: {', '.join(function.__name__ for _, function in SCENARIOS)}"
    failed = 0
    for profile in dict.fromkeys(profile for profile, _ in chosen):
        failed += run(profile, [one for one in chosen if one[0] == profile])
    print(f"kafka on real brokers: {len(chosen) - failed} of {len(chosen)} passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
