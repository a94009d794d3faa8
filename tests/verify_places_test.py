#!/usr/bin/env python3
"""gpulse verify on a real Kafka and a real InfluxDB: all is well; then each is damaged by hand, and just that is told.

    verify_places_test.py GPULSE [SCENARIO...]
"""
import contextlib
import datetime
import json
import pathlib
import subprocess
import sys
import zoneinfo

TREE = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TREE / "tests"), str(TREE / "tests" / "stack"), str(TREE / "deploy")]
from native import kafka as native_kafka, settings as native_settings  # noqa: E402
from real_time_path_test import GPULSE, REAL_LOGS, ZONE, Sink, Topic, generate, scraped, until_read  # noqa: E402
from secure_path_test import SecureSink, SecureTopic  # noqa: E402
from stack import Stack, run_on_stack, wait_until  # noqa: E402

FAULTS = ("missing", "different", "doubled", "foreign")
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


class Places:
    """A topic, and a bucket of the same name, with one log's rows or more."""

    def __init__(self, stack, folder, name, partitions=1):
        self.stack, self.folder, self.name = stack, folder, name
        stack.make_topic(name, partitions)
        self.topic = Topic(stack, folder, name)
        self.sink = Sink(self.topic)
        self.kafka = ["--kafka", f"kafka://{stack.bootstrap}/{name}"]
        self.influx = ["--influxdb", f"influxdb://127.0.0.1:{stack.ports['influxdb']}/gpulse/{name}",
                       "--influxdb-token-file", self.sink.token_file]

    def run(self, log, *options, zone=ZONE, gpus=("gpu0",)):
        logs = log if isinstance(log, list) else [log]
        chosen = [option for gpu in gpus for option in ("--gpu", gpu)]
        return subprocess.run([GPULSE, "verify", *map(str, logs), "--host", "rig", *chosen, "--timezone", zone,
                               *map(str, options)], capture_output=True, text=True, timeout=120, check=False)

    def verify(self, log, *options, gpus=("gpu0",)):
        """The sources of each log, by the one place that the options name; the exit code agrees."""
        done = self.run(log, "--json", *options, gpus=gpus)
        assert done.stdout, done.stderr
        (place,) = json.loads(done.stdout)["places"]
        assert place["error"] is None, place
        faults = sum(source[fault] for each in place["logs"] for source in each["sources"] for fault in FAULTS)
        assert done.returncode == (1 if faults else 0), done.stdout
        return place

    def expect(self, log, *options, **counts):
        """These counts, no other faults; the findings of the one log."""
        place = self.verify(log, *options)
        (source,) = place["logs"][0]["sources"]
        told = {fault: source[fault] for fault in FAULTS if source[fault]}
        assert told == {fault: count for fault, count in counts.items() if fault in FAULTS}, source
        for name, count in counts.items():
            assert source[name] == count, (name, source)
        return source["findings"]

    # --- Kafka

    def records(self):
        """[key, value] as they are, in the order of the topic, which has one partition."""
        result = self.stack.kcat("-C", "-t", self.name, "-o", "beginning", "-e", "-f", "%k\t%s\n")
        assert result.returncode == 0, result.stderr
        return [line.split("\t") for line in result.stdout.splitlines()]

    def put(self, records, partition=0, *options):
        text = "".join(f"{key}\t{value}\n" for key, value in records)
        result = self.stack.kcat("-P", "-t", self.name, "-K", "\t", "-p", str(partition), "-X", "acks=all", *options, text=text)
        assert result.returncode == 0, result.stderr

    # --- InfluxDB

    def lines(self):
        """Every point as a line that writes it again, by offset."""
        flux = f'from(bucket: "{self.name}") |> range(start: 0) |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")'
        status, text = self.stack.influx("POST", "/api/v2/query?org=gpulse", flux, kind="application/vnd.flux")
        assert status == 200, text
        found = {}
        names = None
        for cells in (line.split(",") for line in text.replace("\r", "").splitlines()):
            if "_time" in cells:
                names = cells
            elif len(cells) > 1:
                row = dict(zip(names, cells))
                tags = ",".join(f"{tag}={row.pop(tag)}" for tag in ("host", "gpu", "source"))
                at = nanoseconds(row["_time"])
                fields = {name: value for name, value in row.items() if name and name[0] != "_" and value and name not in ("result", "table")}
                found[int(float(fields["offset"]))] = (tags, fields, at)
        return found

    def write(self, tags, fields, at):
        self.stack.write(self.name, f"gpu_metrics,{tags} {','.join(f'{name}={value}' for name, value in fields.items())} {at}")

    def delete(self, at):
        def text(ns):
            return f"{datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc):%Y-%m-%dT%H:%M:%S}.{ns % 10**9:09d}Z"
        status, answer = self.stack.influx("POST", f"/api/v2/delete?org=gpulse&bucket={self.name}",
                                           {"start": text(at), "stop": text(at), "predicate": '_measurement="gpu_metrics"'})
        assert status == 204, answer


def nanoseconds(text):
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = datetime.datetime.fromisoformat(whole + "+00:00").timestamp()
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0") or 0)


def filled(stack, folder, name, rows=2000, sink=False, **more):
    places = Places(stack, folder, name)
    log = generate(folder / f"{name}.txt", rows, **more)
    with places.topic.produce(log, state=f"state-{name}") as producer:
        until_read(producer)
    if sink:
        with places.sink.run():
            places.sink.expect(log)
    return places, log


def changed(places, name, records):
    """A topic beside with these records."""
    other = Places(places.stack, places.folder, name)
    other.put(records)
    return other


@scenario
def all_is_well(stack, folder):
    if not REAL_LOGS:
        print("SKIPPED: the real logs are not there (GPULSE_REAL_LOGS)")
    logs = [generate(folder / f"{columns}.txt", 2000, columns=columns, scenario="gaming,gaps,restarts") for columns in
            ("nvidia", "amd")] + REAL_LOGS
    gpus = [f"gpu{n}" for n in range(len(logs))]
    places = Places(stack, folder, "well", partitions=3)
    for log, gpu in zip(logs, gpus):
        with places.topic.produce(log, gpu=gpu, state=f"state-{gpu}") as producer:
            until_read(producer)
    with places.sink.run():
        for log, gpu in zip(logs, gpus):
            places.sink.expect(log, gpu=gpu)
    groups = set(stack.kafka("groups", "--list").stdout.split())
    for place in (places.verify(logs, *places.kafka, gpus=gpus), places.verify(logs, *places.influx, gpus=gpus)):
        for log in place["logs"]:
            (source,) = log["sources"]
            assert source["found"] == source["rows"] > 0 and not log["notes"], log
        assert not place["notes"], place
    both = places.run(logs, *places.kafka, *places.influx, gpus=gpus)
    assert both.returncode == 0 and both.stdout.count("every row is there once") == 2 * len(logs), both.stdout + both.stderr
    # Other scenarios start sinks meanwhile, whose groups are called after their topics.
    new = {group.removeprefix("gpulse-") for group in stack.kafka("groups", "--list").stdout.split() if group not in groups}
    topics = set(stack.kafka("topics", "--list").stdout.split())
    assert new <= topics, f"a look leaves no group behind: {new - topics}"


@scenario
def a_clock_that_was_set_back(stack, folder):
    first = generate(folder / "first.txt", 700, columns="nvidia").read_bytes()
    second = generate(folder / "second.txt", 700, columns="amd").read_bytes()  # of the same hours
    log = folder / "both.txt"
    log.write_bytes(first + b"nonsense\r\n" + second)
    places = Places(stack, folder, "back")
    with places.topic.produce(log) as producer:
        until_read(producer)
    with places.sink.run():
        wait_until("every row is there", lambda: places.sink.counts("gpu0").get("offset") == 1400)
    places.expect(log, *places.kafka, found=1400)
    places.expect(log, *places.influx, found=1400)
    line = list(places.lines().items())[300]
    places.delete(line[1][2])
    (finding,) = places.expect(log, *places.influx, missing=1, found=1399)
    assert finding["offset"] == line[0], finding


@scenario
def while_it_is_written(stack, folder):
    """Beside a producer and a sink at work, no fault is told but what is not there yet, and in the end none."""
    whole = generate(folder / "whole.txt", 600).read_bytes().splitlines(keepends=True)
    log = folder / "live.txt"
    places = Places(stack, folder, "live")
    with places.topic.produce(log) as producer, places.sink.run(), open(log, "ab", buffering=0) as out:
        for begin in range(0, len(whole), 100):
            out.write(b"".join(whole[begin:begin + 100])[:-20])
            for options in (places.kafka, places.influx):
                def is_fine():
                    (source,) = json.loads(places.run(log, "--json", *options).stdout)["places"][0]["logs"][0]["sources"]
                    return sum(source[fault] for fault in FAULTS[1:]) == 0 and len(source["findings"]) <= 1
                # InfluxDB may show a batch that it is taking in piece by piece; what is wrong stays.
                wait_until("no fault stays", is_fine)
            out.write(b"".join(whole[begin:begin + 100])[-20:])
        places.sink.expect(log)
        places.expect(log, *places.kafka, found=600)
        places.expect(log, *places.influx, found=600)


@scenario
def a_replay(stack, folder):
    log = generate(folder / "log.txt", 500)
    places = Places(stack, folder, "replay")
    with places.topic.produce(log, "--replay", "max") as producer:
        producer.wait_for("500 records sent")
    with places.sink.run():
        wait_until("every row is there", lambda: places.sink.counts("gpu0").get("offset") == 500)
    for options in (places.kafka, places.influx):
        (source,) = places.verify(log, *options)["logs"][0]["sources"]
        assert source["replay"] and source["found"] == 500, source


@scenario
def a_damaged_topic(stack, folder):
    whole, log = filled(stack, folder, "whole")
    records = whole.records()
    offset = json.loads(records[1000][1])["offset"]

    left_out = changed(whole, "left-out", records[:1000] + records[1001:])
    (finding,) = left_out.expect(log, *left_out.kafka, missing=1, found=1999)
    assert (finding["offset"], finding["line"]) == (offset, 1002), finding

    key, value = records[1000]
    sample = json.loads(value)
    sample["metrics"]["gpu_temperature"] += 0.5
    altered = changed(whole, "altered", records[:1000] + [[key, json.dumps(sample)]] + records[1001:])
    (finding,) = altered.expect(log, *altered.kafka, different=1, found=2000)
    assert finding["offset"] == offset and finding["what"].startswith(
        f"gpu_temperature is {sample['metrics']['gpu_temperature']} there, "), finding

    # What is sent twice behind the mark is dropped by whoever reads it, and no fault.
    doubled = changed(whole, "doubled", records[:1000] + records[800:])
    doubled.expect(log, *doubled.kafka, found=2000, sent_twice=200)
    late = changed(whole, "late", records[:1000] + records[1001:1500] + [records[1000]] + records[1500:])
    (finding,) = late.expect(log, *late.kafka, missing=1, found=1999)
    assert finding["offset"] == offset and "only behind later rows" in finding["what"], finding
    # Unless it was sent again from the dead letters.
    late.put([records[1000]], 0, "-H", "gpulse-resent=0:1")
    late.expect(log, *late.kafka, found=2000, resent=1)

    foreign = json.loads(value)
    foreign["offset"] += 1
    strange = changed(whole, "strange", records[:1001] + [[key, json.dumps(foreign)]] + records[1001:])
    (finding,) = strange.expect(log, *strange.kafka, foreign=1, found=2000)
    assert finding["offset"] == offset + 1, finding


@scenario
def doubles_in_two_partitions(stack, folder):
    whole, log = filled(stack, folder, "one", rows=400)
    records = whole.records()
    two = Places(stack, folder, "two", partitions=2)
    two.put(records, 0)
    two.put(records[100:110], 1)
    findings = two.expect(log, *two.kafka, doubled=10, found=400)
    assert len(findings) == 5, findings
    done = two.run(log, *two.kafka)
    assert "partitions 0, 1" in done.stdout and "the topic has 10 faults" in done.stderr, done.stdout + done.stderr


@scenario
def what_else_is_in_a_topic(stack, folder):
    whole, log = filled(stack, folder, "mine", rows=300)
    records = whole.records()
    mixed = changed(whole, "mixed", [["x", "poison"]] + records[:100] + [["x", '{"v":1}']] + records[100:])
    other = generate(folder / "other.txt", 50, seed=9)
    with mixed.topic.produce(other, gpu="gpu7", state="state-other") as producer:
        until_read(producer)
    mixed.expect(log, *mixed.kafka, found=300)
    done = mixed.run(log, *mixed.kafka)
    assert "2 records are no samples" in done.stdout and "50 records are of other logs" in done.stdout, done.stdout
    # The right log under another device's name says where it is.
    place = mixed.verify(log, *mixed.kafka, gpus=("gpu5",))
    assert place["logs"][0]["sources"][0]["missing"] == 300 and "rig / gpu0" in place["logs"][0]["notes"][0], place


@scenario
def what_retention_left_of_a_topic(stack, folder):
    places, log = filled(stack, folder, "short", rows=1000)
    removed = folder / "removed.json"
    removed.write_text(json.dumps({"version": 1, "partitions": [{"topic": "short", "partition": 0, "offset": 350}]}))
    settings = native_settings.load(stack.settings, None)
    tool = "org.apache.kafka.tools.DeleteRecordsCommand"
    with contextlib.redirect_stdout(sys.stderr):
        native_kafka.run_java(settings, [tool, "--bootstrap-server", native_kafka.bootstrap(settings), "--offset-json-file",
                                         str(removed)], tool)
    places.expect(log, *places.kafka, found=650, not_kept=350)


@scenario
def a_damaged_bucket(stack, folder):
    places, log = filled(stack, folder, "bucket", sink=True)
    places.expect(log, *places.influx, found=2000)
    lines = list(sorted(places.lines().items()))
    for number in (0, 1000, 1999):
        offset, line = lines[number]
        places.delete(line[2])
        (finding,) = places.expect(log, *places.influx, missing=1, found=1999)
        assert finding["offset"] == offset, finding
        places.write(*line)

    offset, (tags, fields, at) = lines[1000]
    places.write(tags, {**fields, "gpu_temperature": float(fields["gpu_temperature"]) + 0.5}, at)
    (finding,) = places.expect(log, *places.influx, different=1, found=2000)
    assert finding["offset"] == offset and "gpu_temperature is " in finding["what"], finding
    places.write(*lines[1000][1])

    # The same row at another instant: once more, or instead. Between its neighbours, and behind all.
    for later in (1000, 10**14):
        places.write(tags, fields, at + later)
        (finding,) = places.expect(log, *places.influx, doubled=1, found=2000)
        assert finding["offset"] == offset, finding
        places.delete(at)
        (finding,) = places.expect(log, *places.influx, different=1, found=2000)
        assert finding["offset"] == offset and "its time is " in finding["what"], finding
        places.delete(at + later)
        places.write(tags, fields, at)

    for later in (1000, -10**14):
        places.write(tags, {**fields, "offset": offset + 1}, at + later)
        (finding,) = places.expect(log, *places.influx, foreign=1, found=2000)
        assert finding["offset"] == offset + 1, finding
        places.delete(at + later)
    places.expect(log, *places.influx, found=2000)


@scenario
def rows_older_than_the_bucket_keeps(stack, folder):
    places = Places(stack, folder, "short-lived")
    made = subprocess.run([GPULSE, "setup", "influxdb", "--to", places.influx[1], "--influxdb-token-file", places.sink.token_file,
                           "--tokens", folder / "tokens", "--no-downsampling", "--retention", "1h"], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    start = datetime.datetime.now(zoneinfo.ZoneInfo(ZONE)) - datetime.timedelta(hours=4)
    log = generate(folder / "log.txt", 240, start=start.strftime("%Y-%m-%d %H:%M:%S"), interval=60)
    with places.topic.produce(log, state="state-short") as producer, places.sink.run() as sink:
        until_read(producer)
        wait_until("all is read", lambda: scraped(sink)[0]["gpulse_sink_stored_total"] + scraped(sink)[0]["gpulse_sink_dropped_total"] == 240)
    reading = [*places.influx[:2], "--influxdb-token-file", folder / "tokens" / "read-token"]
    (source,) = places.verify(log, *reading)["logs"][0]["sources"]
    # InfluxDB keeps whole hours.
    assert 115 <= source["too_old"] <= 185 and source["too_old"] + source["found"] == 240, source
    assert "rows: older than the bucket keeps" in places.run(log, *reading).stdout
    places.delete(sorted(places.lines().items())[-30][1][2])
    places.expect(log, *reading, missing=1)


@scenario
def what_cannot_be_asked(stack, folder):
    places, log = filled(stack, folder, "asked", rows=50, sink=True)
    done = places.run(log, "--kafka", f"kafka://{stack.bootstrap}/never-made", *places.influx)
    assert done.returncode == 1 and "there is no topic never-made" in done.stdout, done.stdout
    assert "every row is there once" in done.stdout, "the other place is compared all the same"
    places.sink.token_file.write_text("not-a-token")
    done = places.run(log, *places.influx)
    assert done.returncode == 1 and "influxdb-token" in done.stdout and "not-a-token" not in done.stdout, done.stdout
    places.sink.token_file.write_text(stack.token())
    for options in (places.kafka, places.influx):
        done = places.run(log, *options, zone="Asia/Tokyo")
        assert done.returncode == 1 and done.stdout.count("--timezone says in which") == 1, done.stdout
    done = places.run(log, "--influxdb", "influxdb://127.0.0.1:1/database-only")
    assert done.returncode == 2 and "InfluxDB 2" in done.stderr, done.stderr


@scenario
def with_users_and_certificates(_, folder):
    """As the sink's user, who has no right to any other group; with the token that may only read."""
    with Stack(folder, profile="secure") as stack:
        stack.up("kafka", "influxdb")
        topic = SecureTopic(stack, folder)
        sink = SecureSink(topic)
        log = generate(folder / "log.txt", 500)
        with topic.produce(log) as producer, sink.run():
            until_read(producer)
            sink.expect(log)

        def verify(token, user="sink"):
            return subprocess.run([GPULSE, "verify", log, "--host", "rig", "--gpu", "gpu0", "--timezone", ZONE, "--kafka",
                                   f"kafka://{stack.bootstrap}/gpu-metrics", *topic.login(user), "--influxdb", sink.address,
                                   "--influxdb-token-file", folder / "tokens" / token, "--influxdb-ca-file", topic.authority],
                                  capture_output=True, text=True, timeout=120, check=False)

        done = verify("read-token")
        assert done.returncode == 0 and done.stdout.count("every row is there once") == 2, done.stdout + done.stderr
        done = verify("write-token", user="producer")
        assert done.returncode == 1, done.stdout
        assert "no right to the topic gpu-metrics" in done.stdout and "whether the token may see" in done.stdout, done.stdout


if __name__ == "__main__":
    sys.exit(run_on_stack("verify", SCENARIOS, ["kafka", "influxdb"], workers=2))
