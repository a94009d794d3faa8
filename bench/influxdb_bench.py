#!/usr/bin/env python3
"""The InfluxDB sink against a client that only posts ready requests, in turn, into a new bucket each.

    deploy/stack up influxdb
    bench/influxdb_bench.py [--rows 200000] [--rounds 5] [--settings deploy/stack.toml] [--driver PROGRAM]
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import urllib.request

sys.dont_write_bytecode = True
import common  # noqa: E402

STACK = common.ROOT / "deploy" / "stack"
DRIVER = common.ROOT / "build" / "release" / "bench" / "influxdb_driver"


class InfluxDB:
    """The stack's own server."""

    def __init__(self, settings):
        command = [STACK, *(["--settings", settings] if settings else []), "status", "--json", "influxdb"]
        status = json.loads(subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False).stdout)
        self.pid = status["servers"][0]["pid"] or sys.exit("deploy/stack up influxdb first")
        access = status["access"]["influxdb"]
        self.url, self.organisation = access["url"], access["organisation"]
        self.token = pathlib.Path(access["token_file"]).read_text().strip()
        self.organisation_id = self.ask("GET", f"/api/v2/orgs?org={self.organisation}")["orgs"][0]["id"]

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            self.url + path, method=method, data=body and json.dumps(body).encode(),
            headers={"Authorization": f"Token {self.token}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            text = response.read()
        return json.loads(text) if text else None

    def count(self, bucket):
        flux = (f'from(bucket: "{bucket}") |> range(start: 0, stop: 2100-01-01T00:00:00Z)'
                ' |> filter(fn: (r) => r._field == "offset") |> count() |> group() |> sum()')
        request = urllib.request.Request(
            f"{self.url}/api/v2/query?org={self.organisation}", data=flux.encode(),
            headers={"Authorization": f"Token {self.token}", "Content-Type": "application/vnd.flux"})
        with urllib.request.urlopen(request, timeout=60) as response:
            return int(response.read().split()[1].rsplit(b",", 1)[1])


def run_once(server, driver, mode, rows):
    name = f"bench-{mode}"
    bucket = server.ask("POST", "/api/v2/buckets", {"orgID": server.organisation_id, "name": name, "retentionRules": []})
    try:
        address = f"{server.url.replace('http', 'influxdb', 1)}/{server.organisation}/{name}"
        before = common.cpu_seconds(server.pid)
        done = subprocess.run([driver, mode, address, str(rows)], check=True, stdout=subprocess.PIPE,
                              env={**os.environ, "GPULSE_INFLUXDB_TOKEN": server.token})
        result = json.loads(done.stdout)
        result["server_cpu_seconds"] = common.cpu_seconds(server.pid) - before
        if server.count(name) != rows:
            sys.exit(f"{mode}: {server.count(name)} of {rows} rows are there")
        return result
    finally:
        server.ask("DELETE", f"/api/v2/buckets/{bucket['id']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--settings", help="of the stack, when not deploy/stack.toml")
    parser.add_argument("--driver", default=DRIVER, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    server = InfluxDB(arguments.settings)
    results = {"ours": [], "null": []}
    for round_ in range(arguments.rounds):
        # Each goes first as often as the other: the server is busy for a while after what it was sent.
        for mode in ("ours", "null") if round_ % 2 == 0 else ("null", "ours"):
            results[mode].append(run_once(server, arguments.driver, mode, arguments.rows))

    def per_row(mode, key):
        return common.median([result[key] / result["rows"] * 1e6 for result in results[mode]])

    rate = {mode: common.median([r["rows"] / r["wall_seconds"] for r in results[mode]]) for mode in results}
    common.print_table(
        "Samples into InfluxDB", f"{common.machine()}. {arguments.rows} rows of 29 sensors in batches of 500, two "
        f"connections, medians of {arguments.rounds} rounds in turn.",
        ["", "rows/s", "client µs CPU a row", "influxd µs CPU a row"],
        [[name, f"{rate[mode]:,.0f}", f"{per_row(mode, 'cpu_seconds'):.2f}", f"{per_row(mode, 'server_cpu_seconds'):.1f}"]
         for mode, name in (("ours", "gpulse's sink"), ("null", "ready requests only"))])
    ratios = [ours["rows"] / ours["wall_seconds"] / (null["rows"] / null["wall_seconds"])
              for ours, null in zip(results["ours"], results["null"])]
    print(f"Rate: {common.median(ratios):.2f} times (seed of acceptance 0.95, goal 0.99). "
          f"Our CPU: {100 * per_row('ours', 'cpu_seconds') / per_row('ours', 'server_cpu_seconds'):.1f} % of influxd's "
          "(at most 10, goal 4).")


if __name__ == "__main__":
    main()
