// Alerts, as Grafana's files for them: gpulse's rules on cards, rules on gpulse itself, who is told, and who next.

import { QueryBuilder, type Rule, RuleBuilder } from "@grafana/grafana-foundation-sdk/alerting";
import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import { TypeReduceBuilder, TypeThresholdBuilder } from "@grafana/grafana-foundation-sdk/expr";

import { fluxQuery, promNow } from "./queries";
import { flux, prometheus, rules as limitsOf } from "./words";

type Severity = "info" | "warning" | "critical";

interface Wanted {
  uid: string;
  title: string;
  severity: Severity;
  /** How long it must be so. */
  hold: string;
  query: Builder<Dataquery>;
  source: { uid: string };
  /** Seconds that the query goes back. */
  back: number;
  beyond: "gt" | "lt";
  limit: number;
  summary: string;
  description?: string;
}

const expressions = { type: "__expr__", uid: "__expr__" };

/** A: the query, a series a card or program. B: its newest value. C: whether that is beyond the limit. */
function rule(wanted: Wanted): Rule {
  const newest = new TypeReduceBuilder().refId("B").datasource(expressions).expression("A").reducer("last")
    .settings({ mode: "dropNN" });
  const beyond = new TypeThresholdBuilder().refId("C").datasource(expressions).expression("B")
    .conditions([{ evaluator: { type: wanted.beyond, params: [wanted.limit] } }]);
  const range = { from: wanted.back, to: 0 };
  const data = (refId: string, uid: string, model: Builder<Dataquery>) =>
    new QueryBuilder(refId).datasourceUid(uid).relativeTimeRange(range).model(model);
  return new RuleBuilder(wanted.title)
    .uid(wanted.uid)
    .condition("C")
    .queries([data("A", wanted.source.uid, wanted.query), data("B", "__expr__", newest), data("C", "__expr__", beyond)])
    .forDuration(wanted.hold)
    // A card that is off has no rows, and is no alert; a data source that cannot be asked is one.
    .noDataState("OK")
    .execErrState("Error")
    .labels({ app: "gpulse", severity: wanted.severity })
    .annotations({ summary: wanted.summary, description: wanted.description ?? "" })
    .build();
}

// --- Cards --------------------------------------------------------------------------------------

const ofCards = (fields: readonly string[], range = "start: v.timeRangeStart, stop: v.timeRangeStop") =>
  `from(bucket: v.defaultBucket)
  |> range(${range})
  |> filter(fn: (r) => r._measurement == "gpu_metrics")
  |> filter(fn: (r) => ${fields.map((field) => `r._field == "${field}"`).join(" or ")})`;

// A card's logs, which are sources of their own, are one series.
const perCard = `  |> keep(columns: ["_time", "_value", "host", "gpu"])
  |> group(columns: ["host", "gpu"])
  |> sort(columns: ["_time"])`;

function cardRule(wanted: Omit<Wanted, "source" | "query" | "summary" | "back" | "beyond"> &
  { query: string; says: string; back?: number; beyond?: "gt" | "lt" }): Rule {
  return rule({
    back: 60, beyond: "gt", ...wanted, source: flux, query: fluxQuery(wanted.query),
    summary: `{{ $labels.host }} / {{ $labels.gpu }}: ${wanted.says}`,
  });
}

const value = (unit: string, digits = 0) => `{{ printf "%.${digits}f" $values.B.Value }} ${unit}`;

interface Limit {
  metric: keyof typeof limitsOf;
  name: string;
  unit: string;
  hold: string;
  severity: Severity;
}

/** gpulse's default rules (docs/rules.md). */
const limitRules: Limit[] = [
  { metric: "hot_spot_temperature", name: "Hot spot", unit: "°C", hold: "30s", severity: "critical" },
  { metric: "memory_temperature", name: "Memory", unit: "°C", hold: "30s", severity: "critical" },
  { metric: "hottest_memory_chip_temperature", name: "Hottest memory chip", unit: "°C", hold: "30s", severity: "critical" },
  { metric: "gpu_temperature", name: "GPU", unit: "°C", hold: "10s", severity: "warning" },
  { metric: "cpu_temperature", name: "CPU", unit: "°C", hold: "10s", severity: "warning" },
  { metric: "board_power_draw", name: "Board power", unit: "W", hold: "10s", severity: "warning" },
  { metric: "gpu_load", name: "Load", unit: "%", hold: "1m", severity: "info" },
];

function limitRule({ metric, name, unit, hold, severity }: Limit): Rule {
  const limit = limitsOf[metric];
  return cardRule({
    uid: `gpulse-${metric.replaceAll("_", "-")}`, title: `${name} above ${limit} ${unit}`, severity, hold,
    query: `${ofCards([metric])}\n${perCard}`, limit, says: `${name} at ${value(unit)}, its rule is ${limit}`,
  });
}

/** The next step: what was only a warning and does not end becomes critical. */
function escalated({ metric, name, unit }: Limit, hold: string, words: string): Rule {
  const limit = limitsOf[metric];
  return cardRule({
    uid: `gpulse-${metric.replaceAll("_", "-")}-lasts`, title: `${name} above ${limit} ${unit} for ${words}`, severity: "critical", hold,
    query: `${ofCards([metric])}\n${perCard}`, limit, says: `${name} above ${limit} ${unit} for ${words}, now ${value(unit)}`,
  });
}

const heldBackByHeat = `${ofCards(["perfcap_reason"])}
  |> map(fn: (r) => ({r with _value: if int(v: r._value) / 2 % 2 == 1 then 100.0 else 0.0}))
  |> group(columns: ["host", "gpu", "_stop"])
  |> mean()
  |> rename(columns: {_stop: "_time"})
${perCard}`;

// 0 while the fan turns, else the card's temperature.
const fanStands = `${ofCards(["fan1_speed_rpm", "gpu_temperature"])}
  |> last()
  |> group(columns: ["host", "gpu", "_field"])
  |> sort(columns: ["_time"])
  |> last()
  |> group(columns: ["host", "gpu", "_stop"])
  |> pivot(rowKey: ["_stop"], columnKey: ["_field"], valueColumn: "_value")
  |> filter(fn: (r) => exists r.fan1_speed_rpm and exists r.gpu_temperature)
  |> map(fn: (r) => ({host: r.host, gpu: r.gpu, _time: r._stop, _value: if r.fan1_speed_rpm < 100.0 then r.gpu_temperature else 0.0}))
${perCard}`;

const silence = `${ofCards(["offset"])}
  |> last()
  |> map(fn: (r) => ({host: r.host, gpu: r.gpu, _time: r._time, _value: float(v: int(v: r._stop) - int(v: r._time)) / 1000000000.0}))
${perCard}`;

function cardRules(): Rule[] {
  const of = (metric: string) => limitRules.find((each) => each.metric === metric) as Limit;
  return [
    ...limitRules.map(limitRule),
    escalated(of("gpu_temperature"), "15m", "15 minutes"),
    escalated(of("cpu_temperature"), "15m", "15 minutes"),
    cardRule({ uid: "gpulse-held-back-by-heat", title: "Held back by heat", severity: "warning", hold: "5m", back: 300,
      query: heldBackByHeat, limit: 50, says: `held back by heat ${value("%")} of the last 5 minutes`,
      description: "PerfCap names the thermal limit: dust, a failing fan, or hot air around the card." }),
    cardRule({ uid: "gpulse-fan-stands", title: "Fan stands still on a hot card", severity: "critical", hold: "1m",
      query: fanStands, limit: 75, says: `fan 1 stands still at ${value("°C")}` }),
    cardRule({ uid: "gpulse-silent", title: "No rows", severity: "info", hold: "1m", back: 86_400, query: silence, limit: 300,
      says: `no row for ${value("s")}`,
      description: "The PC is off, GPU-Z or its log was ended, or gpulse does not run there. Forgotten after a day." }),
  ];
}

// --- gpulse itself ------------------------------------------------------------------------------

function programRule(wanted: Omit<Wanted, "source" | "query" | "back" | "beyond"> &
  { expression: string; beyond?: "gt" | "lt" }): Rule {
  return rule({ back: 600, beyond: "gt", ...wanted, source: prometheus, query: promNow(wanted.expression, "") });
}

const lostRecords = 'sum by (instance) (increase(gpulse_sink_dropped_total{job="gpulse"}[15m]))';
const setAside = 'sum by (instance) (increase(gpulse_sink_set_aside_total{job="gpulse"}[15m]))';

function programRules(): Rule[] {
  const instance = "{{ $labels.instance }}";
  return [
    // Only of programs that ran within the day: not everybody runs all of them.
    programRule({ uid: "gpulse-away", title: "gpulse does not answer", severity: "warning", hold: "2m",
      expression: 'max_over_time(up{job="gpulse"}[1d]) - up{job="gpulse"}', limit: 0.5, summary: `${instance} does not answer`,
      description: "It was ended, or hangs: look at its log. Nothing is lost: it goes on from where it was." }),
    programRule({ uid: "gpulse-kafka-away", title: "Kafka is away", severity: "warning", hold: "2m", beyond: "lt",
      expression: 'gpulse_kafka_connected{job="gpulse"}', limit: 0.5, summary: `${instance} does not reach Kafka` }),
    programRule({ uid: "gpulse-influxdb-away", title: "InfluxDB is away", severity: "warning", hold: "2m", beyond: "lt",
      expression: 'gpulse_influxdb_connected{job="gpulse"}', limit: 0.5, summary: `${instance} does not reach InfluxDB` }),
    programRule({ uid: "gpulse-behind", title: "InfluxDB is behind Kafka", severity: "warning", hold: "10m",
      expression: 'sum by (instance) (gpulse_sink_lag_records{job="gpulse"})', limit: 1000,
      summary: `${instance} is ${value("records")} behind`, description: "More sinks of the same group share the work." }),
    programRule({ uid: "gpulse-backlog", title: "A log is behind", severity: "warning", hold: "10m",
      expression: 'sum by (host, gpu) (gpulse_log_backlog_bytes{job="gpulse"})', limit: 1_048_576,
      summary: `{{ $labels.host }} / {{ $labels.gpu }}: ${value("bytes")} of the log are not in Kafka` }),
    programRule({ uid: "gpulse-set-aside", title: "Records set aside", severity: "warning", hold: "0s",
      expression: setAside, limit: 0.5, summary: `${instance} set ${value("records")} aside`,
      description: "gpulse dead list has them, each with its reason; gpulse dead resend sends them again." }),
    programRule({ uid: "gpulse-dropped", title: "InfluxDB dropped points", severity: "critical", hold: "0s",
      expression: lostRecords, limit: 0.5, summary: `InfluxDB dropped ${value("points")} of ${instance}`,
      description: "Older than its retention, or a field of another type: the sink's log names them." }),
  ];
}

// --- As files -----------------------------------------------------------------------------------

/** A rule as a file has it: no organisation, folder or group of its own. */
function inFile(built: Rule) {
  const { uid, title, condition, data, noDataState, execErrState, labels, annotations } = built;
  return { uid, title, condition, data, noDataState, execErrState, for: built.for, annotations, labels };
}

function group(name: string, interval: string, list: Rule[]) {
  return { orgId: 1, name, folder: "gpulse", interval, rules: list.map(inFile) };
}

export function ruleFile() {
  return { apiVersion: 1, groups: [group("cards", "10s", cardRules()), group("gpulse itself", "1m", programRules())] };
}

const chat = "gpulse: chat";
const everybody = "gpulse: mail, chat and webhook";
const never = "gpulse: never";

// Grafana does not start with an address that is empty. So each has a part that is always there, and a variable that
// nobody set costs the message and not the server.
const slack = (uid: string) => ({ uid, type: "slack", settings: { url: "https://hooks.slack.com/services/$GPULSE_ALERT_SLACK" } });

export function contactFile() {
  return {
    apiVersion: 1,
    contactPoints: [
      { orgId: 1, name: chat, receivers: [slack("gpulse-chat")] },
      {
        orgId: 1, name: everybody,
        receivers: [
          { uid: "gpulse-all-mail", type: "email", settings: { addresses: "$GPULSE_ALERT_MAIL;", singleEmail: true } },
          slack("gpulse-all-chat"),
          { uid: "gpulse-all-webhook", type: "webhook", settings: { url: "$GPULSE_ALERT_WEBHOOK#gpulse", httpMethod: "POST" } },
        ],
      },
    ],
  };
}

/** Warnings go to the chat. What is critical, or a warning that lasts, goes to everybody, again every hour. */
export function policyFile() {
  const ofSeverity = (severity: Severity) => ({ matchers: ["app = gpulse", `severity = ${severity}`] });
  return {
    apiVersion: 1,
    policies: [{
      orgId: 1, receiver: chat, group_by: ["grafana_folder", "alertname"],
      group_wait: "30s", group_interval: "5m", repeat_interval: "12h",
      routes: [
        { receiver: everybody, ...ofSeverity("critical"), group_wait: "10s", group_interval: "1m", repeat_interval: "1h" },
        { receiver: chat, ...ofSeverity("warning"), group_wait: "30s", group_interval: "5m", repeat_interval: "4h" },
        { receiver: chat, ...ofSeverity("info"), mute_time_intervals: [never] },
      ],
    }],
  };
}

export function muteFile() {
  return { apiVersion: 1, muteTimes: [{ orgId: 1, name: never, time_intervals: [{ weekdays: ["sunday:saturday"] }] }] };
}

