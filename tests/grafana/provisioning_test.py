"""What can be told without servers: the files are whole, consistent, and within what Grafana 9.4 knows."""
import csv
import filecmp
import pathlib
import re
import subprocess
import tempfile
import unittest
import urllib.parse

import definitions
from definitions import seconds

SOURCE = definitions.TREE / "deploy" / "grafana" / "source"
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


def setUpModule():
    subprocess.run([definitions.TREE / "setup" / "npm_tools.sh", SOURCE.relative_to(definitions.TREE), "what Grafana's dashboards are made with"],
                   check=True, timeout=300)


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
        with tempfile.TemporaryDirectory() as name:
            build, written = pathlib.Path(name) / "build", pathlib.Path(name) / "provisioning"
            build.mkdir()
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
            for link in dashboard["links"]:
                self.assertNotIn("placement", link, "a menu hides it")
                # All cards are no choice for the page of one.
                self.assertEqual(link["includeVars"], link["url"] != "/d/gpulse-gpu")
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
