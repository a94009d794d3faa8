"""What deploy/grafana/provisioning holds, as Grafana reads it: dashboards, panels, queries, alert rules."""
import dataclasses
import json
import pathlib
import re

import yaml

TREE = pathlib.Path(__file__).resolve().parent.parent.parent
PROVISIONING = TREE / "deploy" / "grafana" / "provisioning"

# Environment as Grafana's container, or whoever starts it, has it.
ENVIRONMENT = {"GPULSE_INFLUXDB_URL": "http://influxdb:8086", "GPULSE_INFLUXDB_READ_TOKEN": "read",
               "GPULSE_PROMETHEUS_URL": "http://prometheus:9090", "GF_PATHS_PROVISIONING": str(PROVISIONING)}


@dataclasses.dataclass
class Query:
    where: str  # for messages: dashboard, panel
    datasource: str  # uid
    model: dict
    relative: tuple | None = None  # an alert rule's own range, in seconds before now

    @property
    def text(self):
        return self.model.get("query") or self.model.get("expr")


def expanded(value, environment=None):
    """Environment variables in a provisioning file's strings, as Grafana puts them in; $$ is a dollar."""
    environment = ENVIRONMENT if environment is None else environment
    if isinstance(value, dict):
        return {key: expanded(each, environment) for key, each in value.items()}
    if isinstance(value, list):
        return [expanded(each, environment) for each in value]
    if not isinstance(value, str):
        return value
    parts = [re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda match: environment.get(match[1] or match[2], ""), part)
             for part in value.split("$$")]
    return "$".join(parts)


def provisioned(kind):
    """The files of a kind, by name."""
    return {path.name: yaml.safe_load(path.read_text()) for path in sorted((PROVISIONING / kind).glob("*.yaml"))}


def datasources():
    """By uid."""
    found = [each for file in provisioned("datasources").values() for each in file["datasources"]]
    assert len({each["uid"] for each in found}) == len(found)
    return {each["uid"]: expanded(each) for each in found}


def dashboards():
    """By uid, from where the provider says that they are."""
    providers = [each for file in provisioned("dashboards").values() for each in file["providers"]]
    found = [json.loads(path.read_text()) for each in providers
             for path in sorted(pathlib.Path(expanded(each)["options"]["path"]).glob("*.json"))]
    assert len({each["uid"] for each in found}) == len(found)
    return {each["uid"]: each for each in found}


def rules():
    return [rule for file in provisioned("alerting").values() for group in file.get("groups", []) for rule in group["rules"]]


def panel_queries(dashboard):
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield Query(f"{dashboard['title']}: {panel['title']}", target["datasource"]["uid"], target)


def variable_queries(dashboard):
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            text = variable["query"]
            model = {"query": text["query"] if isinstance(text, dict) else text}
            yield Query(f"{dashboard['title']}: variable {variable['name']}", variable["datasource"]["uid"], model)


def rule_query(rule):
    """A rule's query of a data source; the others are Grafana's own expressions."""
    [data] = [each for each in rule["data"] if each["datasourceUid"] != "__expr__"]
    times = data["relativeTimeRange"]
    return Query(f"rule {rule['title']}", data["datasourceUid"], data["model"], (times["from"], times["to"]))


def seconds(duration):
    """30s, 10m, 1h"""
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600}[duration[-1]]
