"""Every query of a panel, a variable and an alert rule, on the real InfluxDB and Prometheus."""
import datetime
import json
import math
import pathlib
import re
import tempfile
import unittest

import definitions
import interpolation
from definitions import seconds
from interpolation import Times
from servers import HOST, Servers, now, wait_until

DASHBOARDS = definitions.dashboards()
SOURCES = definitions.datasources()


def numbers(rows):
    """The values in Flux's rows that a panel could draw."""
    skipped = {"_start", "_stop", "_time", "host", "gpu"}
    for row in rows:
        for name, cell in row.items():
            if name not in skipped and re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?", cell):
                yield float(cell)


class QueryTest(unittest.TestCase):
    gpulse = None  # the program

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.servers = cls.enterClassContext(Servers(cls.gpulse, pathlib.Path(folder.name)))

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
            one = some | {name: some[name][:1] for name in offered} | ({"zone": "Europe/Berlin"} if "zone" in fixed else {})
            return [everything, some, one], all_values
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

    def panel(self, uid, title, times, values):
        """The rows of a panel of Flux."""
        [query] = [query for query in definitions.panel_queries(DASHBOARDS[uid]) if query.where.endswith(f": {title}")]
        text = interpolation.with_variables(query.text, values, {})
        return self.servers.flux(interpolation.flux(text, times, SOURCES[query.datasource]))

    def test_computes_what_the_log_was_made_with(self):
        facts = json.loads(self.servers.old_labels.read_text())["facts"]
        begin, end = (datetime.datetime.fromisoformat(facts[key]).replace(tzinfo=datetime.timezone.utc) for key in ("begin", "end"))
        times = Times(begin.replace(second=0), end + datetime.timedelta(minutes=1))
        card = {"host": HOST, "gpu": "gpu0", "zone": "UTC"}

        [shares] = self.panel("gpulse-gpu", "Share of the time", times, card)
        rows = sum(facts["perfcap_rows"].values())
        wanted = {name: sum(count for mask, count in facts["perfcap_rows"].items() if int(mask) & bit) / rows * 100
                  for name, bit in {"power": 1, "thermal": 2, "reliability_voltage": 4, "operating_voltage": 8, "sli": 32}.items()}
        wanted["free"] = sum(count for mask, count in facts["perfcap_rows"].items() if not int(mask) & 47) / rows * 100
        found = {name: float(cell) for name, cell in shares.items()}
        found["free"] = found.pop("idle") + found.pop("not_limited")
        self.assertEqual({name: round(share, 6) for name, share in found.items()},
                         {name: round(share, 6) for name, share in wanted.items()})
        self.assertTrue(found["power"] and found["thermal"] and found["free"], found)

        [card] = self.panel("gpulse-history", "Each card", times, card)
        # A row a minute; here and there two in one, since a step is sometimes a second longer.
        self.assertAlmostEqual(float(card["hours"]), facts["rows"] / 60, delta=0.1)
        self.assertEqual(float(card["hottest"]), facts["metrics"]["gpu_temperature"]["max"])
        watts = [float(row["_value"]) for row in self.servers.flux(
            f'from(bucket: "gpu-metrics") |> range(start: {interpolation.utc(begin)}, stop: {interpolation.utc(times.stop)}) '
            '|> filter(fn: (r) => r._field == "board_power_draw") |> keep(columns: ["_value"])')]
        # Minutes whose board was not read fall back on the chip: one row in some thousand.
        self.assertAlmostEqual(float(card["energy"]), sum(watts) / 60_000, delta=0.01)

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
        self.servers.stack.write("gpu-metrics", "gpu_metrics,host=other,gpu=gpu0,source=x memory_temperature=60,"
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
