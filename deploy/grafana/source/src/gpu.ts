// One card: what it does now, what holds it back, and every sensor that it has.

import * as bargauge from "@grafana/grafana-foundation-sdk/bargauge";
import * as common from "@grafana/grafana-foundation-sdk/common";
import * as dashboard from "@grafana/grafana-foundation-sdk/dashboard";
import * as gauge from "@grafana/grafana-foundation-sdk/gauge";
import * as statetimeline from "@grafana/grafana-foundation-sdk/statetimeline";

import { alertList } from "./alert_list";
import { ages } from "./fleet";
import { frame, oneCard as oneCardVariables } from "./frame";
import {
  bandsOf, chart, type ChartOptions, dress, fieldsOf, figure, Grid, lastOf, noBands, type Sensor, sensors, words,
} from "./panels";
import { dashboardRange, fluxQuery, limited, now, oneCard, readings, series } from "./queries";
import { hues, limits, nearDegrees, rules, state } from "./words";

const byRule = (rule: number) => bandsOf(rule - nearDegrees, rule);

const nowValues: Sensor[] = [
  { field: "gpu_temperature", name: "Core", unit: "celsius", more: [byRule(rules.gpu_temperature)] },
  { field: "hot_spot_temperature", name: "Hot spot", unit: "celsius", more: [byRule(rules.hot_spot_temperature)] },
  { field: "memory_temperature", name: "VRAM", unit: "celsius", more: [byRule(rules.memory_temperature)] },
  { field: "cpu_temperature", name: "CPU", unit: "celsius", more: [byRule(rules.cpu_temperature)] },
  { field: "board_power_draw", name: "Board power", unit: "watt",
    more: [bandsOf(rules.board_power_draw * 0.95, rules.board_power_draw)] },
  { field: "gpu_load", name: "Load", unit: "percent" },
  { field: "gpu_clock", name: "Clock", unit: "rotmhz" },
  { field: "fan1_speed_rpm", name: "Fan", unit: "rotrpm" },
  { field: "gpu_memory_used", name: "Memory", unit: "mbytes" },
];

const percent = (name: string, field: string, more: dashboard.DynamicConfigValue[] = []): Sensor => ({
  field, name, unit: "percent", more: [{ id: "min", value: 0 }, { id: "max", value: 100 }, ...more],
});

const gauges: Sensor[] = [
  percent("Load", "gpu_load"),
  percent("Memory of ${vram} GB", "memory_share", [bandsOf(90, 98)]),
  percent("Power, % of limit", "power_consumption_percent", [{ id: "max", value: 120 }, bandsOf(95, 101)]),
  percent("Fan", "fan1_speed_percent"),
  { field: "gpu_temperature", name: "Temperature", unit: "celsius",
    more: [{ id: "min", value: 20 }, { id: "max", value: 110 }, byRule(rules.gpu_temperature)] },
];

const gaugeFields = ["gpu_load", "gpu_memory_used", "power_consumption_percent", "fan1_speed_percent", "gpu_temperature"];

// The log does not say how much memory a card has: the variable does.
const gaugeQuery = `${now(gaugeFields)}
  |> map(fn: (r) => ({r with memory_share: r.gpu_memory_used / 1024.0 / float(v: "\${vram}") * 100.0}))
  |> drop(columns: ["gpu_memory_used"])`;

const ageQuery = `${readings({ cards: oneCard, fields: ["offset"], range: "start: -30d" })}
  |> last()
  |> group()
  |> sort(columns: ["_time"])
  |> last()
  |> map(fn: (r) => ({_value: float(v: int(v: now()) - int(v: r._time)) / 1000000000.0}))`;

// --- PerfCap ------------------------------------------------------------------------------------

// A row of perfcap_reason is counted under its mask before anything is computed from masks: there are few of them.
const byMask = (range: string) => `${readings({ cards: oneCard, fields: ["perfcap_reason"], range })}
  |> duplicate(column: "_value", as: "mask")
  |> group(columns: ["_start", "_stop", "mask"])`;

/** 1 where the mask of a row has the bit, as Flux. */
const has = (bit: number) => `int(v: r.mask) / ${bit} % 2 == 1`;

// Not limited is called idle only while the load is below 10 %: some cards say "utilisation" at full load, too.
const idleLoad = "10.0";

// A lane a reason: 1 where it was in force at any time within the pixel, else 0.
const lanes = `${limited}
counts = ${byMask(dashboardRange)}
  |> aggregateWindow(every: v.windowPeriod, fn: count, createEmpty: false, timeSrc: "_start")
  |> group(columns: ["_start", "_stop"])
load = ${readings({ cards: oneCard, fields: ["gpu_load"] })}
  |> aggregateWindow(every: v.windowPeriod, fn: mean, createEmpty: false, timeSrc: "_start")
  |> map(fn: (r) => ({_start: r._start, _stop: r._stop, _time: r._time, lane: "load", _value: r._value}))
lane = (name, on) => counts
  |> map(fn: (r) => ({_start: r._start, _stop: r._stop, _time: r._time, lane: name, _value: if on(r: r) then 1.0 else 0.0}))

union(tables: [
  load,
  lane(name: "free", on: (r) => not limited(mask: r.mask)),
${limits.map(({ key, bit }) => `  lane(name: "${key}", on: (r) => ${has(bit)}),`).join("\n")}
])
  |> group(columns: ["_start", "_stop", "lane"])
  |> aggregateWindow(every: v.windowPeriod, fn: max, timeSrc: "_start")
  |> fill(value: 0.0)
  |> group()
  |> pivot(rowKey: ["_time"], columnKey: ["lane"], valueColumn: "_value")
  |> filter(fn: (r) => exists r.free)
  |> map(fn: (r) => {
      idle = exists r.load and r.load < ${idleLoad}

      return {r with idle: if idle then r.free else 0.0, not_limited: if idle then 0.0 else r.free}
  })
  |> drop(columns: ["load", "free"])
  |> sort(columns: ["_time"])`;

// Shares of the rows. Reasons combine, so that they may come to more than 100 %.
const shares = `${limited}
rows = ${readings({ cards: oneCard, fields: ["perfcap_reason", "gpu_load"] })}
  |> group()
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> filter(fn: (r) => exists r.perfcap_reason)
counted = (tables=<-, of) => tables
  |> duplicate(column: "perfcap_reason", as: "mask")
  |> group(columns: ["mask"])
  |> count(column: "perfcap_reason")
  |> set(key: "of", value: of)
plus = (sum, on, rows) => if on then sum + float(v: rows) else sum

union(tables: [rows |> counted(of: "all"), rows |> filter(fn: (r) => exists r.gpu_load and r.gpu_load < ${idleLoad}) |> counted(of: "idle")])
  |> group()
  |> reduce(
      identity: {rows: 0.0, free: 0.0, idle: 0.0, ${limits.map(({ key }) => `${key}: 0.0`).join(", ")}},
      fn: (r, accumulator) => {
        all = r.of == "all"
        free = not limited(mask: r.mask)

        return {
          rows: plus(sum: accumulator.rows, on: all, rows: r.perfcap_reason),
          free: plus(sum: accumulator.free, on: all and free, rows: r.perfcap_reason),
          idle: plus(sum: accumulator.idle, on: not all and free, rows: r.perfcap_reason),
${limits.map(({ key, bit }) =>
  `          ${key}: plus(sum: accumulator.${key}, on: all and ${has(bit)}, rows: r.perfcap_reason),`).join("\n")}
        }
      },
  )
  |> map(fn: (r) => ({
${limits.map(({ key }) => `      ${key}: r.${key} / r.rows * 100.0,`).join("\n")}
      not_limited: (r.free - r.idle) / r.rows * 100.0,
      idle: r.idle / r.rows * 100.0,
  }))`;

const laneWords: Sensor[] = [
  ...limits.map(({ key, word, colour }) => ({ field: key, name: word, colour })),
  { field: "not_limited", name: "Not limited", colour: state.quiet },
  { field: "idle", name: "Idle", colour: state.idle },
];

function perfcapLanes(): statetimeline.PanelBuilder {
  const panel = new statetimeline.PanelBuilder()
    .title("Held back by (PerfCap)")
    .description("Which limit held the clock, a lane a reason; reasons may hold together. Idle: not limited, and load below 10 %.")
    .targets([fluxQuery(lanes)])
    .thresholds(noBands())
    .mergeValues(true)
    .showValue(common.VisibilityMode.Auto)
    .alignValue(common.TimelineValueAlignment.Left)
    .rowHeight(0.85)
    .lineWidth(0)
    .fillOpacity(85)
    .spanNulls(60_000)
    .legend(new common.VizLegendOptionsBuilder().displayMode(common.LegendDisplayMode.List)
      .placement(common.LegendPlacement.Bottom).showLegend(false).calcs([]));
  const lane = ({ field, name, colour }: Sensor): Sensor => ({
    field, name,
    more: [{ id: "mappings", value: [words([[1, name.toLowerCase(), colour as string], [0, " ", "transparent"]])] }],
  });
  return dress(panel, laneWords.map(lane));
}

function perfcapShares(): bargauge.PanelBuilder {
  const panel = new bargauge.PanelBuilder()
    .title("Share of the time")
    .unit("percent").min(0).max(100).decimals(0)
    .targets([fluxQuery(shares)])
    .thresholds(noBands())
    .displayMode(common.BarGaugeDisplayMode.Basic)
    .orientation(common.VizOrientation.Horizontal)
    .reduceOptions(lastOf());
  return dress(panel, laneWords);
}

// --- Every sensor, by topic ---------------------------------------------------------------------

const temperatures: Sensor[] = [
  ...sensors(hues.temperature, [
    ["hot_spot_temperature", "Hot spot"], ["gpu_temperature", "Core"], ["memory_temperature", "VRAM"],
  ]),
  ...sensors(hues.memory, [["hottest_memory_chip_temperature", "Hottest memory chip"]]),
  ...sensors(hues.power, [
    ["vrm_temperature", "VRM"], ["memory1_vrm_temperature", "Memory VRM 1"], ["memory2_vrm_temperature", "Memory VRM 2"],
  ]),
  ...sensors(hues.voltage, [["connector_temperature", "12V-2x6"], ["pcb_temperature", "PCB"], ["soc_temperature", "SOC"]]),
  ...sensors(hues.load, [["cpu_temperature", "CPU"]]),
];

const power: Sensor[] = sensors(hues.power, [
  ["board_power_draw", "Board"], ["gpu_chip_power_draw", "Chip"], ["power_consumption", "Power consumption"],
]);

/** What brings power to the card; together they are the board's. */
const supplies = [
  ["pcie_slot", "Slot"], ["pcie_6pin1", "6-pin 1"], ["pcie_6pin2", "6-pin 2"], ["pcie_8pin1", "8-pin 1"],
  ["pcie_8pin2", "8-pin 2"], ["pcie_8pin3", "8-pin 3"], ["pcie_16pin", "16-pin"],
] as const;

const railPower: Sensor[] = sensors(hues.power, supplies.map(([field, name]) => [`${field}_power`, name] as const));

const consumers: Sensor[] = sensors(hues.power, [
  ["mvddc_power_draw", "MVDDC"], ["mvddq_power_draw", "MVDDQ"], ["pwr_src_power_draw", "PWR_SRC"], ["usb_c_power_draw", "USB-C"],
]);

const railVoltage: Sensor[] = [
  ...sensors(hues.voltage, supplies.map(([field, name]) => [`${field}_voltage`, name] as const)),
  { field: "pwr_src_voltage", name: "PWR_SRC", colour: hues.voltage[0] },
];

const loads: Sensor[] = sensors(hues.load, [
  ["gpu_load", "GPU"], ["memory_controller_load", "Memory controller"], ["video_engine_load", "Video engine"],
  ["bus_interface_load", "Bus"],
]);

const clocks: Sensor[] = [
  ...sensors(hues.clock, [["gpu_clock", "GPU"], ["memory_clock", "Memory"], ["video_clock", "Video"]]),
  ...sensors(hues.clock, [["shader_clock", "Shader"], ["uvd_clock", "UVD"]]),
];

const voltages: Sensor[] = sensors(hues.voltage, [["gpu_voltage", "GPU"], ["memory_voltage", "Memory"]]);

const fans: Sensor[] = sensors(hues.fan, [["fan1_speed_rpm", "Fan 1"], ["fan2_speed_rpm", "Fan 2"], ["fan3_speed_rpm", "Fan 3"]]);

const memory: Sensor[] = sensors(hues.memory, [
  ["gpu_memory_used", "On the card"], ["gpu_memory_used_dynamic", "Dynamic"], ["system_memory_used", "System"],
]);

type Topic = Omit<ChartOptions, "queries">;

const topic = (list: Sensor[], options: Topic) =>
  dress(chart({ ...options, queries: [fluxQuery(series(fieldsOf(list)))] }), list);

// The fourth series of a topic and further ones repeat its colours; dashes tell them apart.
const dashed: dashboard.DynamicConfigValue = { id: "custom.lineStyle", value: { fill: "dash", dash: [6, 4] } };
const withDashes = (list: Sensor[]) =>
  list.map((each, index) => (index < 3 ? each : { ...each, more: [...(each.more ?? []), dashed] }));

function nowPanel() {
  const panel = figure("Now", "none", [fluxQuery(series(fieldsOf(nowValues)))])
    .graphMode(common.BigValueGraphMode.Area)
    .textMode(common.BigValueTextMode.ValueAndName);
  return dress(panel, nowValues);
}

function gaugePanel() {
  const panel = new gauge.PanelBuilder()
    .title("Of what it can")
    .targets([fluxQuery(gaugeQuery)])
    .thresholds(noBands())
    .showThresholdMarkers(true)
    .showThresholdLabels(false)
    .reduceOptions(lastOf());
  return dress(panel, gauges);
}

export function gpu(): dashboard.Dashboard {
  const age = figure("State", "s", [fluxQuery(ageQuery)])
    .mappings(ages)
    .description("Live: a row within the last minute. Stale: within five minutes. Ended: longer ago.");
  const grid = new Grid()
    .row(5, [age, 3], [nowPanel(), 21])
    .row(6, [gaugePanel(), 16], [alertList("Alerts", 'host="$host",gpu="$gpu"'), 8])
    .row(7, [perfcapLanes(), 17], [perfcapShares(), 7])
    .row(10,
      [topic(withDashes(temperatures), { title: "Temperatures", unit: "celsius", rule: rules.hot_spot_temperature }), 12],
      [topic(power, { title: "Power", unit: "watt", least: 0 }), 12])
    .row(9,
      [topic(withDashes(railPower), { title: "Power by connector", unit: "watt", least: 0, stacked: true,
        description: "Slot and connectors, on top of one another: together the board's power." }), 12],
      [topic(withDashes(consumers), { title: "Power by rail", unit: "watt", least: 0 }), 12])
    .row(9,
      [topic(loads, { title: "Load", unit: "percent", least: 0, most: 100 }), 12],
      [topic(withDashes(clocks), { title: "Clocks", unit: "rotmhz", least: 0 }), 12])
    .row(8,
      [topic(voltages, { title: "Voltage of GPU and memory", unit: "volt", decimals: 3 }), 12],
      [topic(withDashes(railVoltage), { title: "Voltage by connector", unit: "volt", decimals: 2 }), 12])
    .row(8,
      [topic(fans, { title: "Fans", unit: "rotrpm", least: 0 }), 12],
      [topic(memory, { title: "Memory", unit: "mbytes", least: 0 }), 12]);
  const vram = new dashboard.CustomVariableBuilder("vram")
    .label("Memory of the card, GB")
    .description("GPU-Z's log does not say how much memory the card has.")
    .values("2,4,6,8,10,11,12,16,20,24,32,48,80,96")
    .current({ text: "8", value: "8" });
  return frame({ page: "gpu", description: "One card: now, what holds it back, and every sensor that it has.", from: "now-1h",
    refresh: "10s", variables: [...oneCardVariables(), vram] }, grid);
}

