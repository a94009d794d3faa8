#!/usr/bin/env python3
"""Holds deploy/grafana to what it promises, and runs every query in it on the real InfluxDB and Prometheus.

    tests/grafana_test.py GPULSE

There is no Grafana here: tests/grafana/interpolation.py puts variables and macros in as Grafana does.
"""
import csv
import datetime
import filecmp
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "grafana"))
import definitions  # noqa: E402
import interpolation  # noqa: E402
from interpolation import Times  # noqa: E402
from servers import Servers, now, wait_until  # noqa: E402

SOURCE = definitions.TREE / "deploy" / "grafana" / "source"
GPULSE = pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else None
# The panels and features that Grafana 9.4 has. Its form of dashboards has number 36 (kinds/dashboard/dashboard_kind.cue of
# that time); cells of tables have a display mode, which is called otherwise from number 38 on.
KINDS = {"alertlist", "bargauge", "barchart", "gauge", "heatmap", "stat", "state-timeline", "table", "timeseries"}
SCHEMA = 36
VARIABLES = {"query", "custom", "textbox"}
NEWER = {"custom.cellOptions", "cellOptions"}
UNITS = {"°C": "celsius", "MHz": "rotmhz", "%": "percent", "% TDP": "percent", "W": "watt", "V": "volt", "RPM": "rotrpm",
         "MB": "mbytes"}
DASHBOARDS = definitions.dashboards()
SOURCES = definitions.datasources()


def catalogue():
    """Grafana's unit of each metric."""
    with open(definitions.TREE / "src" / "telemetry" / "metrics.csv", encoding="utf-8") as file:
        return {row["name"]: UNITS.get(row["unit"]) for row in csv.DictReader(file)}


def known_units():
    """All that the SDK lists as Grafana's."""
    units = SOURCE / "node_modules/@grafana/grafana-foundation-sdk/dist/units/types.gen.js"
    return set(re.findall(r'^exports\.\w+ = "(.*)";$', units.read_text(), re.MULTILINE))


def values_of(settings, name):
    """Every value under this key, however deep."""
    if isinstance(settings, dict):
        for key, value in settings.items():
            if key == name:
                yield value
            yield from values_of(value, name)
    elif isinstance(settings, list):
        for value in settings:
            yield from values_of(value, name)


def overrides(panel):
    """(field, properties)"""
    for each in panel.get("fieldConfig", {}).get("overrides", []):
        yield each["matcher"]["options"], {each["id"]: each.get("value") for each in each["properties"]}


class SourceTest(unittest.TestCase):
    def test_types_check_and_what_is_committed_is_what_the_source_writes(self):
        subprocess.run([SOURCE / "tools.sh"], check=True, timeout=300)
        with tempfile.TemporaryDirectory() as name:
            build, written = pathlib.Path(name) / "build", pathlib.Path(name) / "provisioning"
            (build / "node_modules").parent.mkdir()
            (build / "node_modules").symlink_to(SOURCE / "node_modules")
            compiled = subprocess.run([SOURCE / "node_modules/.bin/tsc", "--outDir", build], cwd=SOURCE, text=True,
                                      capture_output=True, timeout=120)
            self.assertEqual(compiled.returncode, 0, compiled.stdout)
            subprocess.run(["node", build / "main.js", written], check=True, timeout=60)
            names = [str(path.relative_to(written)) for path in written.rglob("*.*")]
            self.assertEqual(len(names), 8, names)
            same, different, missing = filecmp.cmpfiles(written, definitions.PROVISIONING, names, shallow=False)
            self.assertEqual((different, missing), ([], []), "npm run generate in deploy/grafana/source")


class DashboardTest(unittest.TestCase):
    def each_panel(self):
        for dashboard in DASHBOARDS.values():
            for panel in dashboard["panels"]:
                yield f"{dashboard['title']}: {panel['title']}", panel

    def test_there_are_four_with_twenty_panels_at_most(self):
        self.assertEqual(set(DASHBOARDS), {"gpulse-fleet", "gpulse-gpu", "gpulse-history", "gpulse-itself"})
        for dashboard in DASHBOARDS.values():
            self.assertLessEqual(len(dashboard["panels"]), 20, dashboard["title"])

    def test_panels_have_ids_of_their_own_and_do_not_overlap(self):
        for dashboard in DASHBOARDS.values():
            ids = [panel["id"] for panel in dashboard["panels"]]
            self.assertEqual(len(set(ids)), len(ids), dashboard["title"])
            cells = set()
            for panel in dashboard["panels"]:
                place = panel["gridPos"]
                self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
                its = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                       for y in range(place["y"], place["y"] + place["h"])}
                self.assertFalse(cells & its, f"{dashboard['title']}: {panel['title']} lies on another")
                cells |= its
            width = max(place["x"] + place["w"] for place in (panel["gridPos"] for panel in dashboard["panels"]))
            bottom = max(y for _, y in cells) + 1
            self.assertEqual(len(cells), width * bottom, f"{dashboard['title']} has holes")

    def test_uses_only_what_grafana_9_4_has(self):
        for dashboard in DASHBOARDS.values():
            self.assertEqual(dashboard["schemaVersion"], SCHEMA)
            self.assertLessEqual({variable["type"] for variable in dashboard["templating"]["list"]}, VARIABLES)
        for where, panel in self.each_panel():
            self.assertIn(panel["type"], KINDS, where)
            for _, properties in overrides(panel):
                self.assertFalse(NEWER & set(properties), where)
            self.assertFalse(NEWER & set(panel.get("fieldConfig", {}).get("defaults", {}).get("custom", {})), where)

    def test_units_are_grafanas_and_those_of_the_metrics(self):
        known, metrics = known_units(), catalogue()
        self.assertIn("celsius", known)
        for where, panel in self.each_panel():
            for unit in values_of(panel.get("fieldConfig", {}), "unit"):
                self.assertIn(unit, known, where)
            usual = panel.get("fieldConfig", {}).get("defaults", {}).get("unit")
            for field, properties in overrides(panel):
                if metrics.get(field):
                    self.assertEqual(properties.get("unit", usual), metrics[field], f"{where}: {field}")

    def test_a_metric_has_one_colour_per_dashboard(self):
        for dashboard in DASHBOARDS.values():
            for kind in KINDS:
                colours = {}
                for panel in (each for each in dashboard["panels"] if each["type"] == kind):
                    for field, properties in overrides(panel):
                        if "color" in properties and field in catalogue():
                            self.assertEqual(colours.setdefault(field, properties["color"]), properties["color"], field)

    def test_asks_for_metrics_that_exist(self):
        metrics = set(catalogue()) | {"offset"}
        for dashboard in DASHBOARDS.values():
            for query in definitions.panel_queries(dashboard):
                self.assertLessEqual(set(re.findall(r'r\._field [=!]= "(.*?)"', query.text)), metrics, query.where)
                self.assertLessEqual(set(re.findall(r'SELECT mean\("(.*?)"\)', query.text)), metrics, query.where)

    def test_every_data_source_is_provisioned(self):
        for dashboard in DASHBOARDS.values():
            for source in values_of(dashboard, "datasource"):
                if source and source["uid"] != "-- Grafana --":
                    self.assertEqual(SOURCES[source["uid"]]["type"], source["type"])
        for where, panel in self.each_panel():
            for target in panel.get("targets", []):
                self.assertEqual(target["datasource"], panel["datasource"], where)

    def test_every_variable_is_defined_and_every_link_leads_somewhere(self):
        for dashboard in DASHBOARDS.values():
            defined = {variable["name"] for variable in dashboard["templating"]["list"]}
            self.assertLessEqual({"host", "gpu"}, defined)
            text = str([dashboard["panels"], dashboard["templating"]])
            used = set(re.findall(r"\$(?:\{(\w+)|(\w+))", text))
            names = {braced or plain for braced, plain in used}
            own = {"timeFilter", "tag_host", "tag_gpu"}
            self.assertLessEqual({name for name in names if not name.startswith("__")} - own, defined, dashboard["title"])
            urls = [urllib.parse.urlsplit(url) for url in values_of(dashboard, "url")]
            self.assertEqual({url.path.removeprefix("/d/") for url in urls} | {dashboard["uid"]}, set(DASHBOARDS))
            for url in urls:
                there = {variable["name"] for variable in DASHBOARDS[url.path.removeprefix("/d/")]["templating"]["list"]}
                given = {key.removeprefix("var-") for key in urllib.parse.parse_qs(url.query) if key.startswith("var-")}
                self.assertLessEqual(given, there)

    def test_names_perfcaps_reasons_as_the_page_does(self):
        page = (definitions.TREE / "web/src/model/limits.ts").read_text()
        words = dict(re.findall(r'(\w+): "([^"]+)"', page[page.index("const words"):page.index("};")]))
        panels = [panel for panel in DASHBOARDS["gpulse-gpu"]["panels"] if panel["title"] in
                  ("Held back by (PerfCap)", "Share of the time")]
        self.assertEqual(len(panels), 2)
        for panel in panels:
            self.assertEqual({field: properties["displayName"] for field, properties in overrides(panel)}, words)


class AlertingTest(unittest.TestCase):
    def test_rules_are_whole(self):
        rules = definitions.rules()
        self.assertEqual(len({rule["uid"] for rule in rules}), len(rules))
        self.assertEqual(len({rule["title"] for rule in rules}), len(rules))
        for rule in rules:
            with self.subTest(rule["title"]):
                self.assertRegex(rule["uid"], r"^[a-z0-9-]{1,40}$")
                self.assertRegex(rule["for"], r"^\d+[smh]$")
                self.assertIn(rule["labels"]["severity"], ("info", "warning", "critical"))
                self.assertEqual(rule["labels"]["app"], "gpulse")
                self.assertTrue(rule["annotations"]["summary"])
                self.assertEqual([data["refId"] for data in rule["data"]], ["A", "B", "C"])
                self.assertEqual(rule["condition"], "C")
                query, reduce, threshold = (data["model"] for data in rule["data"])
                self.assertIn(definitions.rule_query(rule).datasource, SOURCES)
                self.assertNotIn("$", query.get("query", ""))
                self.assertEqual((reduce["type"], reduce["expression"], reduce["reducer"]), ("reduce", "A", "last"))
                self.assertEqual((threshold["type"], threshold["expression"]), ("threshold", "B"))
                self.assertNotIn("$", "".join(rule["labels"].values()), "labels are expanded, annotations are not")

    def test_limits_are_those_of_gpulses_own_rules(self):
        documented = re.findall(r"^\| `(\w+)` \| > (\d+) .*?\| (\d+) s \| (\w+) \|$",
                                (definitions.TREE / "docs/rules.md").read_text(), re.MULTILINE)
        self.assertEqual(len(documented), 7)
        rules = {rule["uid"]: rule for rule in definitions.rules()}
        for metric, limit, hold, severity in documented:
            rule = rules["gpulse-" + metric.replace("_", "-")]
            self.assertEqual(rule["data"][2]["model"]["conditions"][0]["evaluator"], {"type": "gt", "params": [int(limit)]})
            self.assertEqual(seconds(rule["for"]), int(hold))
            self.assertEqual(rule["labels"]["severity"], severity)

    def test_everybody_is_told_in_the_end(self):
        files = definitions.provisioned("alerting").values()
        points = {point["name"]: point for file in files for point in file.get("contactPoints", [])}
        kinds = {name: {receiver["type"] for receiver in point["receivers"]} for name, point in points.items()}
        [policy] = [policy for file in files for policy in file.get("policies", [])]
        mutes = {mute["name"] for file in files for mute in file.get("muteTimes", [])}
        routes = {dict(matcher.split(" = ") for matcher in route["matchers"])["severity"]: route for route in policy["routes"]}
        self.assertEqual(kinds[routes["critical"]["receiver"]], {"email", "slack", "webhook"})
        self.assertEqual(kinds[routes["warning"]["receiver"]], {"slack"})
        self.assertLessEqual(set(routes["info"]["mute_time_intervals"]), mutes)
        self.assertLess(seconds(routes["critical"]["repeat_interval"]), seconds(routes["warning"]["repeat_interval"]))
        self.assertEqual({rule["labels"]["severity"] for rule in definitions.rules()}, set(routes))
        lasting = {rule["uid"].removesuffix("-lasts") for rule in definitions.rules() if rule["uid"].endswith("-lasts")}
        self.assertLessEqual({"gpulse-gpu-temperature", "gpulse-cpu-temperature"}, lasting)

    def test_an_address_that_nobody_gave_does_not_keep_grafana_from_starting(self):
        for file in definitions.provisioned("alerting").values():
            for point in definitions.expanded(file.get("contactPoints", []), {}):
                for receiver in point["receivers"]:
                    self.assertTrue(receiver["settings"].get("url") or receiver["settings"].get("addresses"), receiver)

    def test_no_secret_is_written_down(self):
        for source in (each for file in definitions.provisioned("datasources").values() for each in file["datasources"]):
            for secret in source.get("secureJsonData", {}).values():
                self.assertRegex(secret, r"^(Token )?\$GPULSE_INFLUXDB_READ_TOKEN$")


def seconds(duration):
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600}[duration[-1]]


def numbers(rows):
    """The values in Flux's rows that a panel could draw."""
    skipped = {"_start", "_stop", "_time", "host", "gpu"}
    for row in rows:
        for name, cell in row.items():
            if name not in skipped and re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?", cell):
                yield float(cell)


class QueryTest(unittest.TestCase):
    """Every query, on the real servers."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.servers = cls.enterClassContext(Servers(GPULSE, pathlib.Path(folder.name)))

    def ask(self, query, times, values, all_values):
        """The values that come back."""
        usual = "prometheus" if query.datasource == "gpulse-prometheus" else None
        text = interpolation.with_variables(query.text, values, all_values, usual)
        if query.datasource == "gpulse-flux":
            text = interpolation.flux(text, times, SOURCES[query.datasource])
            self.assertNotIn("$", text.replace("$/", ""), query.where)
            return list(numbers(self.servers.flux(text)))
        if query.datasource == "gpulse-influxql":
            text = interpolation.influxql(text, times)
            return [value for _, _, value in self.servers.influxql(text) if value is not None]
        text = interpolation.promql(text, times)
        instant = query.model.get("instant")
        found = self.servers.prometheus(text) if instant else self.servers.prometheus_range(text, times)
        return [value for _, value in found if not math.isnan(value)]

    def variable(self, dashboard, name, values, all_values):
        """What a variable offers."""
        [query] = [each for each in definitions.variable_queries(dashboard) if each.where.endswith(f" variable {name}")]
        text = interpolation.with_variables(query.text, values, all_values,
                                            "prometheus" if query.datasource == "gpulse-prometheus" else None)
        if query.datasource == "gpulse-prometheus":
            selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", text).groups()
            return self.servers.label_values(selector, label)
        text = interpolation.flux(text, Times.last(dashboard["time"]["from"], now()), SOURCES[query.datasource])
        return [row["_value"] for row in self.servers.flux(text)]

    def choices(self, dashboard):
        """Settings of the variables, as somebody at the page might choose them."""
        variables = {each["name"]: each for each in dashboard["templating"]["list"]}
        all_values = {name: each.get("allValue") for name, each in variables.items()}
        fixed = {name: each["current"]["value"] for name, each in variables.items() if each["type"] != "query"}
        offered = [name for name, each in variables.items() if each["type"] == "query"]
        if variables["host"].get("includeAll"):
            everything = fixed | {name: None for name in offered}
            some = fixed | {name: self.variable(dashboard, name, everything, all_values) for name in offered}
            return [everything, some, some | {name: some[name][:1] for name in offered}], all_values
        hosts = self.variable(dashboard, "host", fixed, all_values)
        return [fixed | {"host": host, "gpu": gpu} for host in hosts
                for gpu in self.variable(dashboard, "gpu", fixed | {"host": host}, all_values)], all_values

    def check(self, uid):
        dashboard = DASHBOARDS[uid]
        choices, all_values = self.choices(dashboard)
        self.assertGreaterEqual(len(choices), 2)
        times = Times.last(dashboard["time"]["from"], now())
        count = 0
        for query in definitions.panel_queries(dashboard):
            with self.subTest(query.where, query=query.model["refId"]):
                # A card need not have every sensor, but some card has; a choice of many has all.
                found = [bool(self.ask(query, times, values, all_values)) for values in choices]
                self.assertTrue(any(found) if uid == "gpulse-gpu" else all(found[:2]), "no rows")
                count += 1
        print(f"{dashboard['title']}: {count} queries with rows, {len(choices)} choices each", flush=True)

    def test_fleet(self):
        self.check("gpulse-fleet")

    def test_gpu(self):
        self.check("gpulse-gpu")

    def test_history(self):
        self.check("gpulse-history")

    def test_itself(self):
        self.servers.wait_for_scrapes()
        self.check("gpulse-itself")

    # --- Alert rules ----------------------------------------------------------------------------

    def newest(self, rule, at):
        """The newest value of each of the rule's series, as at that instant, by labels."""
        query = definitions.rule_query(rule)
        back, until = query.relative
        times = Times(at - datetime.timedelta(seconds=back), at - datetime.timedelta(seconds=until))
        if query.datasource == "gpulse-flux":
            rows = self.servers.flux(interpolation.flux(query.text, times, SOURCES[query.datasource]))
            return {(row["host"], row["gpu"]): float(row["_value"]) for row in rows if row["_value"]}
        return {tuple(sorted(labels.items())): value for labels, value in self.servers.prometheus(query.text)}

    def pending(self, rule, at):
        [condition] = rule["data"][2]["model"]["conditions"]
        kind, [limit] = condition["evaluator"]["type"], condition["evaluator"]["params"]
        beyond = {"gt": lambda value: value > limit, "lt": lambda value: value < limit}[kind]
        return {labels for labels, value in self.newest(rule, at).items() if beyond(value)}

    def firing(self, rule, at):
        """Beyond the limit at every evaluation of the time that it has to last."""
        hold = seconds(rule["for"])
        return set.intersection(*(self.pending(rule, at - datetime.timedelta(seconds=back)) for back in range(0, hold + 1, 10)))

    def test_rules_return_a_value_each(self):
        self.servers.wait_for_scrapes()
        # Sensors that no card of the samples has.
        self.servers.stack.write("gpu-metrics", "gpu_metrics,host=rig,gpu=gpu2,source=x memory_temperature=60,"
                                 f"hottest_memory_chip_temperature=70,offset=1 {int(now().timestamp()) - 5}000000000")
        for rule in definitions.rules():
            with self.subTest(rule["title"]):
                self.assertTrue(self.newest(rule, now()))

    def test_a_card_that_is_too_hot_for_long_enough_fires_and_others_do_not(self):
        [rule] = [rule for rule in definitions.rules() if rule["uid"] == "gpulse-gpu-temperature"]
        at = int(now().timestamp())
        lines = [f"gpu_metrics,host={host},gpu=gpu0,source=x gpu_temperature={value},offset={at - back} {at - back}000000000"
                 for host, value_at in {"hot": lambda _: 90, "cool": lambda _: 70, "spike": lambda back: 90 if back < 8 else 70}.items()
                 for back in range(120) for value in [value_at(back)]]
        self.servers.stack.write("gpu-metrics", *lines)
        instant = datetime.datetime.fromtimestamp(at + 1, datetime.timezone.utc)
        self.assertEqual(self.firing(rule, instant) & {("hot", "gpu0"), ("cool", "gpu0"), ("spike", "gpu0")}, {("hot", "gpu0")})
        self.assertIn(("spike", "gpu0"), self.pending(rule, instant))
        [lasting] = [rule for rule in definitions.rules() if rule["uid"] == "gpulse-gpu-temperature-lasts"]
        self.assertEqual(self.firing(lasting, instant), set())

    def test_a_record_that_cannot_be_stored_fires(self):
        self.servers.wait_for_scrapes()
        [rule] = [rule for rule in definitions.rules() if rule["uid"] == "gpulse-set-aside"]
        self.assertEqual(self.firing(rule, now()), set())
        self.servers.stack.produce("gpu-metrics", "no record of ours")
        fired = wait_until("the rule fires", lambda: self.firing(rule, now()), 60)
        self.assertEqual(fired, {(("instance", f"127.0.0.1:{self.servers.programs['sink']}"),)})


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
