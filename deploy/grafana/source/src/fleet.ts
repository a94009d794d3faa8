// Every card on one page: is one away, too hot, held back?

import * as common from "@grafana/grafana-foundation-sdk/common";
import * as bargauge from "@grafana/grafana-foundation-sdk/bargauge";
import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";

import { alertList } from "./alert_list";
import { frame, manyCards } from "./frame";
import {
  bands, bandsOf, chart, colouredText, everyRow, figure, Grid, linkToCard, list, rangeWords, type Sensor, steps, words,
} from "./panels";
import { chosenCards, fluxQuery, influxqlQuery, limited, readings } from "./queries";
import { nearDegrees, perfcapWords, rules, state } from "./words";

/** Rows come each second; a minute without one is more than a hiccup of the way here. */
export const ages = rangeWords([[-1e9, "live", state.good], [60, "stale", state.warn], [300, "ended", state.quiet]]);

const perCard = (fields: readonly string[], range: string) => `${readings({ cards: chosenCards, fields, range })}
  |> last()
  |> group(columns: ["host", "gpu"])
  |> sort(columns: ["_time"])
  |> last()`;

const liveCards = `${perCard(["offset"], "start: -1m")}
  |> group()
  |> count()`;

const hottest = `${perCard(["gpu_temperature"], "start: -1m")}
  |> group()
  |> max()
  |> map(fn: (r) => ({_value: r._value, card: r.host + " / " + r.gpu}))`;

// A card that measures its whole board also has its chip's power: a card's largest is its own.
const power = `${readings({ cards: chosenCards, fields: ["board_power_draw", "gpu_chip_power_draw"], range: "start: -1m" })}
  |> last()
  |> group(columns: ["host", "gpu"])
  |> max()
  |> group()
  |> sum()`;

const load = `${perCard(["gpu_load"], "start: -1m")}
  |> group()
  |> mean()`;

const heldBack = `${limited}

${perCard(["perfcap_reason"], "start: -1m")}
  |> map(fn: (r) => ({_value: if limited(mask: r._value) then 1 else 0}))
  |> group()
  |> sum()`;

// The newest reading of each sensor within a week, and how old the newest row is.
const table = `seconds = (t) => float(v: int(v: t)) / 1000000000.0
newest = from(bucket: v.defaultBucket)
  |> range(start: -7d)
  |> filter(fn: (r) => r._measurement == "gpu_metrics" and ${chosenCards})
  |> last()
  |> group(columns: ["host", "gpu", "_field"])
  |> sort(columns: ["_time"])
  |> last()
values = newest
  |> filter(fn: (r) => r._field != "offset")
  |> keep(columns: ["host", "gpu", "_field", "_value"])
rows = newest |> filter(fn: (r) => r._field == "offset")
seen = rows |> map(fn: (r) => ({host: r.host, gpu: r.gpu, _field: "seen", _value: seconds(t: r._time) * 1000.0}))
age = rows |> map(fn: (r) => ({host: r.host, gpu: r.gpu, _field: "age", _value: seconds(t: now()) - seconds(t: r._time)}))

union(tables: [values, seen, age])
  |> group()
  |> filter(fn: (r) => contains(value: r._field, set: ["age", "seen", "gpu_temperature", "hot_spot_temperature", "gpu_load",
    "board_power_draw", "gpu_chip_power_draw", "gpu_memory_used", "perfcap_reason"]))
  |> pivot(rowKey: ["host", "gpu"], columnKey: ["_field"], valueColumn: "_value")
  |> map(fn: (r) => ({r with power: if exists r.board_power_draw then r.board_power_draw else r.gpu_chip_power_draw}))
  |> drop(columns: ["board_power_draw", "gpu_chip_power_draw"])
  |> sort(columns: ["host", "gpu"])`;

const masks = words(Array.from({ length: 64 }, (_, mask) =>
  [mask, perfcapWords(mask), perfcapWords(mask) === perfcapWords(0) ? state.good : state.warn]));

const tableColumns: Sensor[] = [
  { field: "host", name: "Host" },
  { field: "gpu", name: "GPU" },
  { field: "age", name: "State", more: [{ id: "mappings", value: ages }, colouredText] },
  { field: "gpu_temperature", name: "Temperature", unit: "celsius",
    more: [bandsOf(rules.gpu_temperature - nearDegrees, rules.gpu_temperature), colouredText] },
  { field: "hot_spot_temperature", name: "Hot spot", unit: "celsius",
    more: [bandsOf(rules.hot_spot_temperature - nearDegrees, rules.hot_spot_temperature), colouredText] },
  { field: "gpu_load", name: "Load", unit: "percent" },
  { field: "power", name: "Power", unit: "watt",
    more: [bandsOf(rules.board_power_draw * 0.95, rules.board_power_draw), colouredText] },
  { field: "gpu_memory_used", name: "Memory", unit: "mbytes" },
  { field: "perfcap_reason", name: "Held back by", more: [{ id: "mappings", value: [masks] }, colouredText] },
  { field: "seen", name: "Last seen", unit: "dateTimeFromNow" },
];

// The share of rows with a limiting bit, a card a bar. Rows are counted under their mask before masks are looked into.
const limitedShare = `${limited}

${readings({ cards: chosenCards, fields: ["perfcap_reason"] })}
  |> duplicate(column: "_value", as: "mask")
  |> group(columns: ["host", "gpu", "mask"])
  |> count()
  |> group(columns: ["host", "gpu"])
  |> reduce(
      identity: {rows: 0.0, limited: 0.0},
      fn: (r, accumulator) => ({
        rows: accumulator.rows + float(v: r._value),
        limited: accumulator.limited + (if limited(mask: r.mask) then float(v: r._value) else 0.0),
      }),
  )
  |> map(fn: (r) => ({card: r.host + " / " + r.gpu, "limited": r.limited / r.rows * 100.0}))
  |> group()
  |> sort(columns: ["limited"], desc: true)`;

/** The mean of each pixel column, a line a card. */
const compared = (field: string) => influxqlQuery(
  `SELECT mean("${field}") FROM "gpu_metrics" WHERE "host" =~ /^\${host:regex}$/ AND "gpu" =~ /^\${gpu:regex}$/ ` +
    'AND $timeFilter GROUP BY time($__interval), "host", "gpu" fill(null)',
  "$tag_host / $tag_gpu",
);

const legendCalcs = ["lastNotNull", "mean", "max"];

export function fleet(): Dashboard {
  const hottestPanel = figure("Hottest now", "celsius", [fluxQuery(hottest)])
    .thresholds(bands(rules.gpu_temperature - nearDegrees, rules.gpu_temperature))
    .textMode(common.BigValueTextMode.ValueAndName)
    .reduceOptions(everyRow());
  const shares = new bargauge.PanelBuilder()
    .title("Held back, share of the time")
    .description("Rows in which PerfCap names a limit: power, thermal, reliability voltage, operating voltage or SLI.")
    .unit("percent").min(0).max(100).decimals(0)
    .targets([fluxQuery(limitedShare)])
    .thresholds(steps([null, state.quiet], [1, state.warn]))
    .displayMode(common.BarGaugeDisplayMode.Basic)
    .orientation(common.VizOrientation.Horizontal)
    .reduceOptions(everyRow());

  const grid = new Grid()
    .row(4,
      [figure("Cards live", "none", [fluxQuery(liveCards)]).noValue("0"), 4],
      [hottestPanel, 6],
      [figure("Power, all cards", "watt", [fluxQuery(power)]).decimals(0), 5],
      [figure("Load, mean", "percent", [fluxQuery(load)]).decimals(0), 4],
      [figure("Cards held back now", "none", [fluxQuery(heldBack)]).thresholds(steps([null, state.good], [1, state.warn])), 5])
    .row(9,
      [list("Cards", [fluxQuery(table)], tableColumns).dataLinks([
        linkToCard("${__data.fields.Host:percentencode}", "${__data.fields.GPU:percentencode}"),
      ]), 18],
      [alertList("Alerts"), 6])
    .row(9,
      [chart({ title: "Temperature", unit: "celsius", queries: [compared("gpu_temperature")], rule: rules.gpu_temperature,
        legendCalcs }), 12],
      [chart({ title: "Load", unit: "percent", queries: [compared("gpu_load")], least: 0, most: 100, legendCalcs }), 12])
    .row(9,
      [chart({ title: "Chip power", unit: "watt", queries: [compared("gpu_chip_power_draw")], least: 0, legendCalcs }), 12],
      [chart({ title: "Memory used", unit: "mbytes", queries: [compared("gpu_memory_used")], least: 0, legendCalcs }), 12])
    .row(7,
      [shares, 24]);
  return frame({ page: "fleet", description: "Every card: is one away, too hot, held back?", from: "now-1h", refresh: "10s",
    variables: manyCards() }, grid);
}
