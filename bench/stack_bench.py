#!/usr/bin/env python3
"""The real-time path on servers of its own, against kcat and Telegraf; what `make bench-stack` runs.

    bench/stack_bench.py [--rows 200000] [--rounds 5] [--telegraf PROGRAM] [PART...]

Parts: produce, latency, sink, telegraf, disk; all by default. Nothing of it needs a server that runs already.
"""
import argparse
import contextlib
import datetime
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
import common  # noqa: E402

sys.path.insert(0, str(common.ROOT / "tests" / "stack"))
from command import Command  # noqa: E402
from stack import Stack, wait_until  # noqa: E402

SECONDS_A_DAY = 86_400


def produce(stack, folder, log, topic, *options):
    return Command(common.GPULSE, "produce", log, "--to", f"kafka://{stack.bootstrap}/{topic}", "--host", "rig", "--gpu",
                   "gpu0", "--timezone", "UTC", "--port", "0", "--state", folder / f"state-{topic}", *options)


class Sink:
    """gpulse sink influxdb from a topic into a bucket of its name."""

    def __init__(self, stack, folder, topic):
        self.stack, self.bucket = stack, topic
        self.token_file = folder / "token"
        self.token_file.touch(0o600)
        self.token_file.write_text(stack.token())
        stack.make_bucket(topic)
        self.command = Command(
            common.GPULSE, "sink", "influxdb", "--from", f"kafka://{stack.bootstrap}/{topic}", "--to",
            f"influxdb://127.0.0.1:{stack.ports['influxdb']}/gpulse/{topic}", "--influxdb-token-file", self.token_file,
            "--group", f"gpulse-{topic}", "--port", "0")

    def cpu_seconds(self):
        return common.cpu_seconds(self.command.process.pid)


def past_log(path, rows):
    """That ends now: what is ahead of the clock is in no query."""
    return common.generate(path, rows, common.utc_now() - datetime.timedelta(seconds=rows + 60))


def points(stack, bucket):
    """Rows in a bucket, by the field that every row has."""
    flux = (f'from(bucket: "{bucket}") |> range(start: 0) |> filter(fn: (r) => r._field == "offset") |> group() |> count() '
            '|> keep(columns: ["_value"])')
    status, text = stack.influx("POST", "/api/v2/query?org=gpulse", flux, kind="application/vnd.flux")
    assert status == 200, text
    return int(text.split()[-1].rpartition(",")[2]) if text.strip() else 0


# --- produce against kcat ---------------------------------------------------------------------------

def time_produce(stack, folder, log, topic):
    began = time.monotonic()
    with produce(stack, folder, log, topic) as command:
        command.wait_for("read to its end", 600)
        wall = time.monotonic() - began
        return wall, common.cpu_seconds(command.process.pid)


def time_kcat(stack, log, topic):
    began = time.monotonic()
    done = subprocess.Popen(["kcat", "-P", "-q", "-b", stack.bootstrap, "-t", topic, "-X", "acks=all", "-X",
                             "enable.idempotence=true", "-z", "zstd", "-k", "rig/gpu0", "-l", str(log)])
    cpu = 0.0
    while done.poll() is None:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            cpu = common.cpu_seconds(done.pid)
        time.sleep(0.005)
    assert done.returncode == 0
    return time.monotonic() - began, cpu


def bench_produce(stack, folder, arguments):
    log = past_log(folder / "log.txt", arguments.rows)
    results = {"gpulse": [], "kcat": []}
    for round_ in range(arguments.rounds):
        for who in ("gpulse", "kcat") if round_ % 2 == 0 else ("kcat", "gpulse"):
            topic = f"{who}-{round_}"
            stack.make_topic(topic, partitions=4)  # which takes as long as 50,000 rows
            results[who].append(time_produce(stack, folder, log, topic) if who == "gpulse" else time_kcat(stack, log, topic))
            stack.kafka("topics", "--delete", "--topic", topic)
    wall = {who: common.median([w for w, _ in times]) for who, times in results.items()}
    cpu = {who: common.median([c for _, c in times]) for who, times in results.items()}
    common.print_table(
        "Into Kafka", f"{common.machine()}. A log of {arguments.rows:,} rows into an empty topic of 4 partitions, acks=all, zstd, from "
        f"the start of the program to the last acknowledgement; medians of {arguments.rounds} rounds in turn. kcat sends the "
        "lines as they are, gpulse reads them and sends a JSON object each.",
        ["", "rows/s", "CPU s"],
        [["gpulse produce", f"{arguments.rows / wall['gpulse']:,.0f}", f"{cpu['gpulse']:.2f}"],
         ["kcat -P -l", f"{arguments.rows / wall['kcat']:,.0f}", f"{cpu['kcat']:.2f}"]])
    ratio = common.median([k[0] / g[0] for g, k in zip(results["gpulse"], results["kcat"])])
    print(f"{ratio:.2f} times kcat's rate (0.6 asked, goal 1.0).\n")


# --- from the log to a reader -----------------------------------------------------------------------

def kafka_latencies(stack, folder, rate, count):
    """From the writer's `write` returning to a consumer that has the record, in milliseconds."""
    topic = f"latency-{rate}"
    log = past_log(folder / f"{topic}.txt", 10)
    seen = {}
    all_there = threading.Event()
    stack.make_topic(topic)

    def read(pipe):
        for line in pipe:
            seen[json.loads(line)["offset"]] = time.monotonic()
            if len(seen) >= count + 10:
                all_there.set()

    consumer = subprocess.Popen(["kcat", "-C", "-q", "-u", "-b", stack.bootstrap, "-t", topic, "-o", "beginning", "-X",
                                 "fetch.wait.max.ms=500"], stdout=subprocess.PIPE)
    threading.Thread(target=read, args=(consumer.stdout,), daemon=True).start()
    written = {}
    with produce(stack, folder, log, topic) as command:
        command.wait_for("read to its end")
        live = common.LiveLog(log)
        start = time.monotonic()
        for n in range(count):
            # Rows of several a second bear the same second, as GPU-Z's do not: their identity is the offset.
            offset = log.stat().st_size
            written[offset] = live.append(common.utc_now())
            time.sleep(max(0.0, start + (n + 1) / rate - time.monotonic()))
        live.close()
        assert all_there.wait(60), f"{len(seen)} of {count + 10} records"
    consumer.terminate()
    consumer.wait()
    return [1000 * (seen[offset] - when) for offset, when in written.items()]


def bench_latency(stack, folder, arguments):
    rows = []
    for rate, count in ((1, 60), (10, 300), (100, 1500), (1000, 5000)):
        times = kafka_latencies(stack, folder, rate, count)
        rows.append([f"{rate:,}", count, *(f"{common.percentile(times, share):.1f}" for share in (0.5, 0.95, 0.99, 1))])
    common.print_table(
        "From the log to a consumer of the topic", f"{common.machine()}. From the writer's `write` returning to the record in kcat, in "
        "milliseconds; limit for p99: 25 (goal 10).", ["rows/s", "rows", "p50", "p95", "p99", "max"], rows)


def bench_sink(stack, folder, arguments):
    """From the log to a Flux query that sees the row, at one row a second, by way of Kafka."""
    topic, count = "seen", 100
    log = past_log(folder / "seen.txt", 10)
    times = []
    with produce(stack, folder, log, topic) as command:
        command.wait_for("read to its end")
        sink = Sink(stack, folder, topic)
        with sink.command:
            wait_until("the first rows are there", lambda: points(stack, topic) == 10)
            live = common.LiveLog(log)
            for _ in range(count):
                offset = log.stat().st_size
                flux = (f'from(bucket: "{topic}") |> range(start: -1h, stop: 1h) |> filter(fn: (r) => r._field == "offset" and '
                        f'r._value == {offset}.0) |> keep(columns: ["_value"])')
                began = live.append(common.utc_now())
                while str(offset) not in stack.influx("POST", "/api/v2/query?org=gpulse", flux, kind="application/vnd.flux")[1]:
                    assert time.monotonic() - began < 10, "a row never came"
                times.append(1000 * (time.monotonic() - began))
                time.sleep(max(0.0, 1 - (time.monotonic() - began)))
            live.close()
    common.print_table(
        "From the log to InfluxDB, by way of Kafka", f"{common.machine()}. One row a second, {count} rows; from the writer's `write` "
        "returning to a Flux query that has the row, in milliseconds, the query's own time included; limit for p99: 500.",
        ["", "p50", "p95", "p99", "max"],
        [["gpulse produce and sink", *(f"{common.percentile(times, share):.0f}" for share in (0.5, 0.95, 0.99, 1))]])


# --- the sink against Telegraf ----------------------------------------------------------------------

TELEGRAF = """
[agent]
  interval = "1s"
  flush_interval = "1s"
  precision = "1ns"
  metric_batch_size = 5000
  metric_buffer_limit = 100000
  omit_hostname = true
[[inputs.kafka_consumer]]
  brokers = ["{brokers}"]
  topics = ["{topic}"]
  consumer_group = "telegraf"
  kafka_version = "3.6.0"
  offset = "oldest"
  max_undelivered_messages = 20000
  data_format = "json_v2"
  [[inputs.kafka_consumer.json_v2]]
    measurement_name = "gpu_metrics"
    timestamp_path = "timestamp"
    timestamp_format = "2006-01-02T15:04:05.000000Z"
    [[inputs.kafka_consumer.json_v2.tag]]
      path = "host"
    [[inputs.kafka_consumer.json_v2.tag]]
      path = "gpu"
    [[inputs.kafka_consumer.json_v2.tag]]
      path = "source"
    [[inputs.kafka_consumer.json_v2.field]]
      path = "offset"
      type = "float"
    [[inputs.kafka_consumer.json_v2.object]]
      path = "metrics"
      disable_prepend_keys = true
[[outputs.influxdb_v2]]
  urls = ["http://127.0.0.1:{port}"]
  token = "${{INFLUX_TOKEN}}"
  organization = "gpulse"
  bucket = "{bucket}"
"""


def run_telegraf(stack, folder, program, topic, rows, bucket):
    stack.make_bucket(bucket)
    config = folder / "telegraf.conf"
    config.write_text(TELEGRAF.format(brokers=stack.bootstrap, topic=topic, port=stack.ports["influxdb"], bucket=bucket))
    began = time.monotonic()
    with Command(program, "--config", config, environment={"INFLUX_TOKEN": stack.token()}) as command:
        wait_until("Telegraf has written all", lambda: points(stack, bucket) == rows, 600)
        return time.monotonic() - began, common.cpu_seconds(command.process.pid), common.resident_bytes(command.process.pid)


def run_sink(stack, folder, topic, rows):
    began = time.monotonic()
    sink = Sink(stack, folder, topic)
    with sink.command as command:
        wait_until("the sink has written all", lambda: points(stack, topic) == rows, 600)
        return time.monotonic() - began, sink.cpu_seconds(), common.resident_bytes(command.process.pid)


def bench_telegraf(stack, folder, arguments):
    program = arguments.telegraf or subprocess.run([common.ROOT / "deploy" / "stack", "where", "telegraf"], text=True, check=True,
                                                   stdout=subprocess.PIPE).stdout.split()[-1] + "/telegraf"
    log = past_log(folder / "telegraf.txt", arguments.rows)
    results = {"gpulse": [], "telegraf": []}
    for round_ in range(min(arguments.rounds, 3)):
        topic = f"both-{round_}"
        with produce(stack, folder, log, topic) as command:
            command.wait_for("read to its end", 600)
        for who in ("gpulse", "telegraf") if round_ % 2 == 0 else ("telegraf", "gpulse"):
            results[who].append(run_sink(stack, folder, topic, arguments.rows) if who == "gpulse" else run_telegraf(
                stack, folder, program, topic, arguments.rows, f"telegraf-{round_}"))
        stack.kafka("topics", "--delete", "--topic", topic)
    middle = {who: [common.median(column) for column in zip(*runs)] for who, runs in results.items()}
    common.print_table(
        "From Kafka into InfluxDB, beside Telegraf 1.37", f"{common.machine()}. The same topic of {arguments.rows:,} records into a bucket "
        f"each, from the start of the program to the last row in a Flux count; medians of {len(results['gpulse'])} rounds in turn.",
        ["", "rows/s", "records a CPU second", "resident MB"],
        [[name, f"{arguments.rows / middle[who][0]:,.0f}", f"{arguments.rows / middle[who][1]:,.0f}", f"{middle[who][2] / 1e6:.0f}"]
         for who, name in (("gpulse", "gpulse sink influxdb"), ("telegraf", "Telegraf"))])
    print(f"{middle['telegraf'][1] / middle['gpulse'][1]:.1f} times Telegraf's records a CPU second (5 asked).\n")


# --- what a day takes -------------------------------------------------------------------------------

def bytes_in(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def bench_disk(stack, folder, arguments):
    # A row of its own each time, as they come at one a second.
    rows = 1000
    log = past_log(folder / "day.txt", rows)
    with produce(stack, folder, log, "one-by-one", "--replay", "100") as command:
        wait_until("the log has been played", lambda: len(stack.messages("one-by-one")) == rows, 120)
        command.stop()
    kafka = sum(segment.stat().st_size for segment in folder.rglob("one-by-one-*/*.log"))
    whole = past_log(folder / "whole-day.txt", SECONDS_A_DAY)
    with produce(stack, folder, whole, "day") as command:
        command.wait_for("read to its end", 600)
    sink = Sink(stack, folder, "day")
    with sink.command:
        wait_until("a day is in InfluxDB", lambda: points(stack, "day") == SECONDS_A_DAY, 600)
    stack.do("down", "influxdb")
    stack.up("influxdb")  # at its start it makes files of what is in its write-ahead log
    buckets = json.loads(stack.influx("GET", "/api/v2/buckets?name=day")[1])["buckets"]
    data = next(folder.rglob(f"engine/data/{buckets[0]['id']}"))
    wait_until("it is compacted", lambda: bytes_in(data) > 0 and not list(data.rglob("*.tmp")), 120)
    common.print_table(
        "A day at one row a second", f"{common.machine()}. 29 sensors. Kafka: {rows} rows, a batch each, scaled; InfluxDB: the day, as it lies "
        "after a restart.", ["", "MB a day"],
        [["Kafka, zstd", f"{kafka / rows * SECONDS_A_DAY / 1e6:.0f}"], ["InfluxDB", f"{bytes_in(data) / 1e6:.0f}"]])


PARTS = {"produce": bench_produce, "latency": bench_latency, "sink": bench_sink, "telegraf": bench_telegraf, "disk": bench_disk}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[*PARTS, []])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--telegraf", help="the program; by default what `make telegraf` made")
    arguments = parser.parse_args()
    # As Ctrl-C does: the servers are stopped, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as name, Stack(pathlib.Path(name)) as stack:
        stack.up("kafka", "influxdb")
        for part in arguments.parts or PARTS:
            PARTS[part](stack, pathlib.Path(name), arguments)


if __name__ == "__main__":
    main()
