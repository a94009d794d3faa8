#!/usr/bin/env python3
"""Holds a running server against docs/openapi.yaml.

usage: openapi_check.py URL OPENAPI_FILE [KIND,KIND…]

Asks every path for every device, well and badly, and checks status, content type and body against the
description. Objects there forbid what they do not name, so an undescribed member is found too. Prints
one line a mistake; ends with 1 when there was one. Of the live stream it waits for the event `hello` and
those of the kinds named. It starts an import that fails and is cancelled. Needs PyYAML and jsonschema.
"""

import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

import jsonschema
import yaml

SAMPLE = re.compile(
    r'^[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_]\w*="([^"\\\n]|\\["\\n])*",?)+\})? '
    r"[+-]?(\d+(\.\d+)?([eE][+-]?\d+)?|Inf|NaN)$"
)


class Check:
    def __init__(self, url, file):
        self.url = url.rstrip("/")
        with open(file, encoding="utf-8") as stream:
            self.description = yaml.safe_load(stream)
        self.mistakes = []
        self.answers = 0
        self.asked = set()

    def mistake(self, where, what):
        self.mistakes.append(f"{where}: {what}")

    def resolve(self, node):
        while "$ref" in node:
            target = self.description
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def validate(self, where, value, schema):
        whole = {**schema, "components": self.description["components"]}
        validator = jsonschema.Draft202012Validator(whole)
        for error in sorted(validator.iter_errors(value), key=lambda e: list(map(str, e.path)))[:5]:
            at = "/".join(map(str, error.path))
            self.mistake(where, f"at {at or 'the top'}: {error.message[:300]}")

    def request(self, path, parameters=None, method="GET", body=None):
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        request = urllib.request.Request(self.url + path + query, data=body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    # Asks, and holds the answer against what is said of the path; returns the body, read.
    def ask(self, template, parameters=None, expect=200, method="GET", body=None, **in_path):
        path = template.format(**in_path)
        status, headers, content = self.request(path, parameters, method, body)
        where = f"{method} {path} {parameters or ''} -> {status}"
        self.answers += 1
        self.asked.add((template, method.lower()))
        if expect is not None and status != expect:
            self.mistake(where, f"expected {expect}: {content[:200]!r}")
        responses = self.description["paths"][template][method.lower()]["responses"]
        said = self.resolve(responses.get(str(status), responses.get("default", {})))
        kinds = said.get("content", {})
        if not kinds:
            if content:
                self.mistake(where, "a body that is not described")
            return None
        kind = headers.get_content_type()
        if kind not in kinds:
            self.mistake(where, f"content type {kind} is not among {list(kinds)}")
            return None
        if kind != "application/json":
            return content.decode()
        value = json.loads(content)
        self.validate(where, value, kinds[kind]["schema"])
        return value

    def device(self, device):
        named = {"host": device["host"], "gpu": device["gpu"]}
        api = "/api/v1/"
        for path in ("stats", "answers", "sources", "sessions", "windows", "alerts"):
            self.ask(api + path, named)
        self.ask(api + "answers", {**named, "last": 1})
        metrics = ",".join(metric["name"] for metric in device["metrics"])
        for points in (2, 300, 20000):
            query = self.ask(api + "query", {**named, "metric": metrics, "points": points})
            self.series(query, points)
        halfway = {**named, "from": device["first"], "to": device["first"]}
        self.ask(api + "query", {**halfway, "metric": metrics})
        self.ask(api + "stats", halfway)
        self.ask(api + "answers", halfway)
        self.ask(api + "query", {**named, "metric": "no_such_metric"}, expect=400)
        self.ask(api + "query", {**named, "metric": metrics, "points": 1}, expect=400)
        self.ask(api + "stats", {**named, "from": "2000", "to": "1000"}, expect=400)
        self.ask(api + "windows", {**named, "limit": "none"}, expect=400)

    def series(self, query, points):
        for series in query["series"]:
            where = f"query of {points} points, {series['metric']}"
            length = len(series["time"])
            if length > points:
                self.mistake(where, f"{length} entries")
            columns = [series[name] for name in ("min", "max", "mean", "count") if name in series]
            columns += [value["seconds"] for value in series.get("values", [])]
            if any(len(column) != length for column in columns):
                self.mistake(where, "columns of unequal length")
            if any(a >= b for a, b in zip(series["time"], series["time"][1:])):
                self.mistake(where, "times do not ascend")

    def prometheus(self):
        for line in self.ask("/metrics").splitlines():
            if not line.startswith(("# HELP ", "# TYPE ")) and not SAMPLE.match(line):
                self.mistake("/metrics", f"no sample of the format: {line}")

    def jobs(self):
        self.ask("/api/v1/logs", {}, expect=400, method="POST", body=b"x")
        started = self.ask("/api/v1/logs", {"name": "README.md", "gpu": "openapi-check"},
                           expect=202, method="POST", body=b"# this is no log\n")
        self.ask("/api/v1/logs")
        self.ask("/api/v1/logs/{job}", job=started["job"])
        self.ask("/api/v1/logs/{job}", job=started["job"], method="DELETE", expect=204)
        self.ask("/api/v1/logs/{job}", job="none", expect=404)
        self.ask("/api/v1/logs/{job}", job="none", method="DELETE", expect=404)

    # Reads the stream until each of `kinds` has come; hello always does.
    def live(self, kinds):
        template = "/api/v1/live"
        self.ask(template, {"host": "only"}, expect=400)
        schemas = self.description["paths"][template]["get"]["x-events"]
        missing = set(kinds) | {"hello"}
        with urllib.request.urlopen(self.url + template, timeout=30) as stream:
            if stream.headers.get_content_type() != "text/event-stream":
                self.mistake(template, "no event stream")
            kind = None
            while missing:
                line = stream.readline().decode()
                if line == "":
                    self.mistake(template, f"ended before {missing} came")
                    return
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ").strip()
                elif line.startswith("data: "):
                    data = json.loads(line.removeprefix("data: "))
                    self.validate(f"live event {kind}", data, schemas[kind])
                    missing.discard(kind)

    def coverage(self):
        for path, item in self.description["paths"].items():
            for method in item.keys() & {"get", "post", "delete", "put"}:
                if (path, method) not in self.asked:
                    self.mistake(f"{method} {path}", "was never asked")


def main():
    check = Check(sys.argv[1], sys.argv[2])
    devices = check.ask("/api/v1/devices")
    if not devices:
        check.mistake("/api/v1/devices", "there is no device to check with")
    for device in devices:
        check.device(device)
    check.ask("/api/v1/sources")
    check.ask("/api/v1/rules")
    check.ask("/api/v1/outlets")
    check.ask("/api/v1/metrics")
    check.ask("/api/v1/stats", {"host": "nobody", "gpu": "none"}, expect=404)
    check.ask("/healthz", expect=None)
    check.prometheus()
    check.jobs()
    check.live(sys.argv[3].split(",") if len(sys.argv) > 3 else [])
    check.coverage()
    for mistake in check.mistakes:
        print(mistake)
    print(f"openapi_check: {check.answers} answers, {len(check.mistakes)} mistakes")
    sys.exit(1 if check.mistakes else 0)


if __name__ == "__main__":
    main()
