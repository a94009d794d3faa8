"""Puts variables and macros into queries as Grafana does, from its dashboards' page and its server."""
import dataclasses
import datetime
import re
import urllib.parse

# A panel's width in pixels is the most points that it asks for.
POINTS = 1000
STEPS_S = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400]
# Grafana takes a rate over four scrapes at least.
SCRAPE_S = 15


@dataclasses.dataclass
class Times:
    start: datetime.datetime
    stop: datetime.datetime

    @classmethod
    def last(cls, words, now):
        """now-1h, now-30d"""
        count, unit = re.fullmatch(r"now-(\d+)([mhd])", words).groups()
        return cls(now - datetime.timedelta(**{{"m": "minutes", "h": "hours", "d": "days"}[unit]: int(count)}), now)

    @property
    def interval_s(self):
        wanted = (self.stop - self.start).total_seconds() / POINTS
        return next((step for step in STEPS_S if step >= wanted), STEPS_S[-1])


def utc(time):
    return time.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def regex(value):
    return re.sub(r"[\\^$*+?.()|{}\[\]]", lambda match: "\\" + match[0], value)


def formatted(value, how, all_value):
    """One value is a string, several a list; all is None."""
    if value is None:
        return all_value
    values = value if isinstance(value, list) else [value]
    if how == "regex":
        escaped = [regex(each) for each in values]
        return escaped[0] if len(escaped) == 1 else "(" + "|".join(escaped) + ")"
    if how == "percentencode":
        return urllib.parse.quote(",".join(values), safe="")
    if how == "prometheus":
        escaped = [regex(each).replace("\\", "\\\\") for each in values]
        return escaped[0] if len(escaped) == 1 else "(" + "|".join(escaped) + ")"
    assert how is None, f"no such format: {how}"
    assert len(values) == 1, "several values without a format"
    return values[0]


def with_variables(text, values, all_values, usual=None):
    """`usual`: the format of a variable without one."""
    def replace(match):
        name = match["braced"] or match["plain"]
        if name.startswith("__") or name == "timeFilter":
            return match[0]
        assert name in values, f"no variable {name}"
        return formatted(values[name], match["how"] or usual, all_values.get(name))
    return re.sub(r"\$(?:\{(?P<braced>\w+)(?::(?P<how>\w+))?\}|(?P<plain>[A-Za-z_]\w*))", replace, text)


def flux(text, times, source):
    """v.… as Grafana's server does it, in the whole text."""
    options = source["jsonData"]
    macros = {"timeRangeStart": utc(times.start), "timeRangeStop": utc(times.stop), "windowPeriod": f"{times.interval_s}s",
              "bucket": f'"{options["defaultBucket"]}"', "defaultBucket": f'"{options["defaultBucket"]}"',
              "organization": f'"{options["organization"]}"'}
    for word, name in set(re.findall(r"([a-zA-Z]+\.([a-zA-Z]+))", text)):
        if name in macros:
            text = text.replace(word, macros[name])
    return text


def influxql(text, times):
    start, stop = (int(each.timestamp() * 1000) for each in (times.start, times.stop))
    return (text.replace("$timeFilter", f"time >= {start}ms and time <= {stop}ms")
            .replace("$__interval", f"{times.interval_s}s"))


def promql(text, times):
    span = int((times.stop - times.start).total_seconds())
    return (text.replace("$__rate_interval", f"{max(times.interval_s + SCRAPE_S, 4 * SCRAPE_S)}s")
            .replace("$__interval", f"{times.interval_s}s").replace("$__range", f"{span}s"))
