// Weeks and months: how hot, how busy, what it drew, what was out of the ordinary. From the means, minima and maxima
// by the minute, which InfluxDB's task keeps up (gpulse setup influxdb).

import * as barchart from "@grafana/grafana-foundation-sdk/barchart";
import * as common from "@grafana/grafana-foundation-sdk/common";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import * as heatmap from "@grafana/grafana-foundation-sdk/heatmap";

import { frame, manyCards } from "./frame";
import { bandsOf, chart, colouredText, fixedColour, Grid, list, noBands, type Sensor } from "./panels";
import { chosenCards, fluxQuery, minutes } from "./queries";
import { hues, nearDegrees, rules, state } from "./words";

const means = (...fields: string[]) => minutes({ cards: chosenCards, fields }, "mean");
const maxima = (...fields: string[]) => minutes({ cards: chosenCards, fields }, "max");

// Days and hours are those of the variable's zone.
const inZone = `import "timezone"

option location = timezone.location(name: "\${zone}")
`;

/** A mean of a minute counts as its minute: W for a minute are W/60 Wh. */
const idleBelow = 10;
const loadedAbove = 70;

// --- Summary ------------------------------------------------------------------------------------

// Board power, or the chip's where the card does not measure its board: energy takes the larger of the two.
const perCardMinutes = (fields: string[]) => `${means(...fields)}
  |> group(columns: ["host", "gpu"])
  |> pivot(rowKey: ["_time", "host", "gpu"], columnKey: ["_field"], valueColumn: "_value")`;

const powerOf = `power = (r) => if exists r.board_power_draw then r.board_power_draw else if exists r.gpu_chip_power_draw then r.gpu_chip_power_draw else 0.0`;

const summary = `${powerOf}
share = (part, whole) => if whole > 0.0 then part / whole * 100.0 else 0.0

counted = ${perCardMinutes(["gpu_load", "board_power_draw", "gpu_chip_power_draw"])}
  |> reduce(
      identity: {all: 0.0, idle: 0.0, loaded: 0.0, energy: 0.0},
      fn: (r, accumulator) => ({
        all: accumulator.all + 1.0,
        idle: accumulator.idle + (if exists r.gpu_load and r.gpu_load < ${idleBelow}.0 then 1.0 else 0.0),
        loaded: accumulator.loaded + (if exists r.gpu_load and r.gpu_load > ${loadedAbove}.0 then 1.0 else 0.0),
        energy: accumulator.energy + power(r: r) / 60000.0,
      }),
  )
  |> map(fn: (r) => ({host: r.host, gpu: r.gpu, hours: r.all / 60.0, idle: share(part: r.idle, whole: r.all),
      loaded: share(part: r.loaded, whole: r.all), energy: r.energy}))
hottest = ${maxima("gpu_temperature")}
  |> group(columns: ["host", "gpu"])
  |> max()
  |> keep(columns: ["host", "gpu", "_value"])
  |> rename(columns: {_value: "hottest"})

join(tables: {counted: counted, hottest: hottest}, on: ["host", "gpu"])
  |> group()
  |> sort(columns: ["host", "gpu"])`;

const summaryColumns: Sensor[] = [
  { field: "host", name: "Host" },
  { field: "gpu", name: "GPU" },
  { field: "hours", name: "Time logged", unit: "h", more: [{ id: "decimals", value: 1 }] },
  { field: "hottest", name: "Hottest", unit: "celsius",
    more: [bandsOf(rules.gpu_temperature - nearDegrees, rules.gpu_temperature), colouredText] },
  { field: "idle", name: `Idle (load < ${idleBelow} %)`, unit: "percent", more: [{ id: "decimals", value: 0 }] },
  { field: "loaded", name: `Loaded (load > ${loadedAbove} %)`, unit: "percent", more: [{ id: "decimals", value: 0 }] },
  { field: "energy", name: "Energy", unit: "kwatth", more: [{ id: "decimals", value: 2 }] },
];

// --- Percentiles and distributions --------------------------------------------------------------

const measured = [
  ["gpu_temperature", "Temperature", "celsius"], ["hot_spot_temperature", "Hot spot", "celsius"], ["gpu_load", "Load", "percent"],
  ["board_power_draw", "Board power", "watt"], ["gpu_chip_power_draw", "Chip power", "watt"], ["gpu_clock", "Clock", "rotmhz"],
  ["gpu_memory_used", "Memory", "mbytes"], ["fan1_speed_rpm", "Fan", "rotrpm"],
] as const;

const percentiles = `minutes = ${means(...measured.map(([field]) => field))}
  |> group(columns: ["_field"])
  |> keep(columns: ["_field", "_value"])
percentile = (q, name) => minutes
  |> quantile(q: q)
  |> set(key: "percentile", value: name)

union(tables: [percentile(q: 0.5, name: "p50"), percentile(q: 0.95, name: "p95"), percentile(q: 0.99, name: "p99")])
  |> group()
  |> pivot(rowKey: ["percentile"], columnKey: ["_field"], valueColumn: "_value")
  |> sort(columns: ["percentile"])`;

const percentileColumns: Sensor[] = [
  { field: "percentile", name: "Percentile" },
  ...measured.map(([field, name, unit]): Sensor => ({ field, name, unit, more: [{ id: "decimals", value: 0 }] })),
];

// Hours by class of value.
const distribution = (field: string, width: number) => `${means(field)}
  |> group()
  |> map(fn: (r) => ({class: int(v: r._value / ${width}.0) * ${width}, _value: r._value}))
  |> group(columns: ["class"])
  |> count()
  |> group()
  |> sort(columns: ["class"])
  |> map(fn: (r) => ({class: string(v: r.class) + " – " + string(v: r.class + ${width}), hours: float(v: r._value) / 60.0}))`;

function distributionPanel(title: string, field: string, width: number, colour: string) {
  return new barchart.PanelBuilder()
    .title(title)
    .description("Hours by class of a minute's mean, all chosen cards together.")
    .unit("h").min(0)
    .targets([fluxQuery(distribution(field, width))])
    .thresholds(noBands())
    .xField("class")
    .orientation(common.VizOrientation.Vertical)
    .showValue(common.VisibilityMode.Never)
    .groupWidth(0.9).barWidth(0.95).lineWidth(0).fillOpacity(85)
    .xTickLabelSpacing(100)
    .legend(new common.VizLegendOptionsBuilder().displayMode(common.LegendDisplayMode.List)
      .placement(common.LegendPlacement.Bottom).showLegend(false).calcs([]))
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Single).sort(common.SortOrder.None))
    .overrideByName("hours", [{ id: "displayName", value: "Hours" }, fixedColour(colour)]);
}

// --- By day -------------------------------------------------------------------------------------

const byDay = (fn: string) => `aggregateWindow(every: 1d, fn: ${fn}, createEmpty: false, timeSrc: "_start")`;

const temperatureByDay = `${inZone}
minutes = ${means("gpu_temperature")}
  |> group(columns: ["_start", "_stop"])
highest = ${maxima("gpu_temperature")}
  |> group(columns: ["_start", "_stop"])
p95 = (column="_value", tables=<-) => tables |> quantile(q: 0.95, column: column)

union(tables: [
  minutes |> ${byDay("mean")} |> set(key: "what", value: "mean"),
  minutes |> ${byDay("p95")} |> set(key: "what", value: "p95"),
  highest |> ${byDay("max")} |> set(key: "what", value: "max"),
])
  |> group()
  |> pivot(rowKey: ["_time"], columnKey: ["what"], valueColumn: "_value")
  |> sort(columns: ["_time"])`;

// At full load only, so that a card that is used more does not look like one that gets dusty.
const trendAtLoad = (field: string) => `${inZone}
${means(field, "gpu_load")}
  |> group(columns: ["_start", "_stop", "host", "gpu"])
  |> pivot(rowKey: ["_time", "host", "gpu"], columnKey: ["_field"], valueColumn: "_value")
  |> filter(fn: (r) => exists r.gpu_load and r.gpu_load >= 90.0 and exists r.${field})
  |> map(fn: (r) => ({_start: r._start, _stop: r._stop, _time: r._time, host: r.host, gpu: r.gpu, _value: r.${field}}))
  |> group(columns: ["_start", "_stop", "host", "gpu"])
  |> ${byDay("mean")}
  |> map(fn: (r) => ({_time: r._time, _value: r._value, card: r.host + " / " + r.gpu}))
  |> group()
  |> pivot(rowKey: ["_time"], columnKey: ["card"], valueColumn: "_value")
  |> sort(columns: ["_time"])`;

const useByDay = `${inZone}
${means("gpu_load")}
  |> group(columns: ["_start", "_stop"])
  |> window(every: 1d)
  |> reduce(
      identity: {idle: 0.0, between: 0.0, loaded: 0.0},
      fn: (r, accumulator) => ({
        idle: accumulator.idle + (if r._value < ${idleBelow}.0 then 1.0 / 60.0 else 0.0),
        between: accumulator.between + (if r._value >= ${idleBelow}.0 and r._value <= ${loadedAbove}.0 then 1.0 / 60.0 else 0.0),
        loaded: accumulator.loaded + (if r._value > ${loadedAbove}.0 then 1.0 / 60.0 else 0.0),
      }),
  )
  |> map(fn: (r) => ({_time: r._start, idle: r.idle, between: r.between, loaded: r.loaded}))
  |> group()
  |> sort(columns: ["_time"])`;

const energyByDay = `${inZone}
${powerOf}

${means("board_power_draw", "gpu_chip_power_draw")}
  |> group(columns: ["_start", "_stop", "host", "gpu"])
  |> pivot(rowKey: ["_time", "host", "gpu"], columnKey: ["_field"], valueColumn: "_value")
  |> map(fn: (r) => ({_start: r._start, _stop: r._stop, _time: r._time, host: r.host, gpu: r.gpu, _value: power(r: r) / 60000.0}))
  |> group(columns: ["_start", "_stop", "host", "gpu"])
  |> ${byDay("sum")}
  |> map(fn: (r) => ({_time: r._time, _value: r._value, card: r.host + " / " + r.gpu}))
  |> group()
  |> pivot(rowKey: ["_time"], columnKey: ["card"], valueColumn: "_value")
  |> sort(columns: ["_time"])`;

// A row an hour of the day, a column a day.
const hours = (field: string) => `import "date"
import "strings"
${inZone}
${means(field)}
  |> group(columns: ["_start", "_stop"])
  |> aggregateWindow(every: 1h, fn: mean, createEmpty: false, timeSrc: "_start")
  |> map(fn: (r) => ({day: date.truncate(t: r._time, unit: 1d), hour: string(v: date.hour(t: r._time)), _value: r._value}))
  |> map(fn: (r) => ({r with hour: (if strings.strlen(v: r.hour) < 2 then "0" else "") + r.hour}))
  |> group()
  |> sort(columns: ["hour"])
  |> pivot(rowKey: ["day"], columnKey: ["hour"], valueColumn: "_value")
  |> rename(columns: {day: "_time"})
  |> sort(columns: ["_time"])`;

function hoursPanel(title: string, field: string, unit: string, fill: string) {
  return new heatmap.PanelBuilder()
    .title(title)
    .targets([fluxQuery(hours(field))])
    .calculate(false)
    .cellGap(2)
    .color(new heatmap.HeatmapColorOptionsBuilder().mode(heatmap.HeatmapColorMode.Opacity).fill(fill)
      .scale(heatmap.HeatmapColorScale.Linear).exponent(0.5).steps(32).scheme("Blues"))
    .cellValues(new heatmap.CellValuesBuilder().unit(unit).decimals(0))
    .rowsFrame(new heatmap.RowsHeatmapOptionsBuilder().layout(common.HeatmapCellLayout.Auto))
    .yAxis(new heatmap.YAxisConfigBuilder().axisPlacement(common.AxisPlacement.Left))
    .showLegend();
}

// --- Spikes -------------------------------------------------------------------------------------

/** A minute's highest reading so far above its mean is a spike. */
const spikeDegrees = 4;

const spikeRows = `mean = ${means("gpu_temperature")}
highest = ${maxima("gpu_temperature")}

union(tables: [mean, highest])
  |> pivot(rowKey: ["_time", "host", "gpu"], columnKey: ["aggregate"], valueColumn: "_value")
  |> group()
  |> filter(fn: (r) => exists r.max and exists r.mean and r.max - r.mean >= ${spikeDegrees}.0)
  |> map(fn: (r) => ({_time: r._time, host: r.host, gpu: r.gpu, peak: r.max, rise: r.max - r.mean}))`;

const spikes = `${spikeRows}
  |> sort(columns: ["rise"], desc: true)
  |> limit(n: 50)`;

const spikeColumns: Sensor[] = [
  { field: "_time", name: "Minute", unit: "dateTimeAsIso" },
  { field: "host", name: "Host" },
  { field: "gpu", name: "GPU" },
  { field: "peak", name: "Peak", unit: "celsius",
    more: [bandsOf(rules.gpu_temperature - nearDegrees, rules.gpu_temperature), colouredText, { id: "decimals", value: 1 }] },
  { field: "rise", name: "Above the minute's mean", unit: "celsius", more: [{ id: "decimals", value: 1 }] },
];

function useChart() {
  return chart({ title: `Time idle (load < ${idleBelow} %) and loaded (> ${loadedAbove} %), by day`, unit: "h",
    queries: [fluxQuery(useByDay)], least: 0, stacked: true, bars: true, legendCalcs: ["sum"] })
    .overrideByName("idle", [{ id: "displayName", value: "Idle" }, fixedColour(state.idle)])
    .overrideByName("between", [{ id: "displayName", value: "Between" }, fixedColour(hues.load[2])])
    .overrideByName("loaded", [{ id: "displayName", value: "Loaded" }, fixedColour(hues.load[0])]);
}

function temperatureChart() {
  return chart({ title: "Temperature by day", unit: "celsius", queries: [fluxQuery(temperatureByDay)],
    rule: rules.gpu_temperature, legendCalcs: ["lastNotNull", "min", "max"] })
    .overrideByName("max", [{ id: "displayName", value: "Highest" }, fixedColour(hues.temperature[0])])
    .overrideByName("p95", [{ id: "displayName", value: "p95" }, fixedColour(hues.temperature[1])])
    .overrideByName("mean", [{ id: "displayName", value: "Mean" }, fixedColour(hues.temperature[2])]);
}

export function history(): dashboard.Dashboard {
  const grid = new Grid()
    .row(7,
      [list("Each card", [fluxQuery(summary)], summaryColumns), 13],
      [list("Percentiles of the minutes' means", [fluxQuery(percentiles)], percentileColumns), 11])
    .row(8,
      [distributionPanel("Temperature, how long (°C)", "gpu_temperature", 5, hues.temperature[1]), 8],
      [distributionPanel("Load, how long (%)", "gpu_load", 10, hues.load[1]), 8],
      [distributionPanel("Chip power, how long (W)", "gpu_chip_power_draw", 25, hues.power[1]), 8])
    .row(9,
      [temperatureChart(), 12],
      [chart({ title: "Temperature at load ≥ 90 %, by day", unit: "celsius", queries: [fluxQuery(trendAtLoad("gpu_temperature"))],
        description: "Rising at the same load: dust, a tired fan, a warm room.", legendCalcs: ["lastNotNull", "min", "max"] }), 12])
    .row(9,
      [useChart(), 12],
      [chart({ title: "Energy by day", unit: "kwatth", queries: [fluxQuery(energyByDay)], least: 0, stacked: true, bars: true,
        decimals: 2, description: "Of the board, where the card measures that; else of the chip.", legendCalcs: ["sum"] }), 12])
    .row(10,
      [hoursPanel("Load by hour of the day", "gpu_load", "percent", hues.load[0]), 12],
      [hoursPanel("Temperature by hour of the day", "gpu_temperature", "celsius", hues.temperature[0]), 12])
    .row(9,
      [list(`Spikes: minutes whose peak is ${spikeDegrees} °C or more above their mean`, [fluxQuery(spikes)], spikeColumns), 12],
      [chart({ title: "Clock at load ≥ 90 %, by day", unit: "rotmhz", queries: [fluxQuery(trendAtLoad("gpu_clock"))],
        description: "Falling at the same load: held back by heat or power.", legendCalcs: ["lastNotNull", "min", "max"] }), 12]);
  const zone = new dashboard.TextBoxVariableBuilder("zone")
    .label("Zone of days and hours")
    .description("As Europe/Berlin")
    .defaultValue("UTC")
    .current({ text: "UTC", value: "UTC" });
  return frame({ page: "history", description: "Weeks and months: how hot, how busy, what it drew, what was out of the ordinary.",
    from: "now-30d", refresh: "", variables: [...manyCards(), zone] }, grid);
}

