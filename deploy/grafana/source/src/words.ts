// What everything here calls the same: data sources, colours, PerfCap's reasons. Colours are those of
// gpulse's own page in its dark theme, which is Grafana's default, too.

export const flux = { type: "influxdb", uid: "gpulse-flux" };
export const influxql = { type: "influxdb", uid: "gpulse-influxql" };
export const prometheus = { type: "prometheus", uid: "gpulse-prometheus" };

export const dashboards = {
  fleet: { uid: "gpulse-fleet", title: "gpulse: fleet" },
  gpu: { uid: "gpulse-gpu", title: "gpulse: one GPU" },
  history: { uid: "gpulse-history", title: "gpulse: history" },
  itself: { uid: "gpulse-itself", title: "gpulse itself" },
};

/** Three steps of lightness within the hue of a topic: first, second and third series. */
export type Hue = readonly [string, string, string];

export const hues = {
  temperature: ["#ffa5c8", "#d27199", "#a35475"],
  power: ["#d5b2fe", "#a87fd5", "#8160a5"],
  load: ["#a0c6ff", "#6196e4", "#4772b1"],
  clock: ["#62d4fd", "#07a4cf", "#0a7d9e"],
  voltage: ["#38deda", "#08aba7", "#028380"],
  fan: ["#73dea4", "#3ead76", "#2a8558"],
  memory: ["#b1d372", "#83a342", "#637c2d"],
} as const satisfies Record<string, Hue>;

/** Red and amber mean a state and nothing else. The good state has no colour: Grafana's own for text. */
export const state = { good: "text", quiet: "#8a8e94", idle: "#62666c", warn: "#f7b83d", alert: "#ff645f" };

/** PerfCap's bits that hold a card back. 16, utilisation, does not. */
export const limits = [
  { bit: 1, key: "power", word: "Power", colour: hues.power[0] },
  { bit: 2, key: "thermal", word: "Thermal", colour: hues.temperature[0] },
  { bit: 4, key: "reliability_voltage", word: "Reliability voltage", colour: hues.voltage[0] },
  { bit: 8, key: "operating_voltage", word: "Operating voltage", colour: hues.voltage[1] },
  { bit: 32, key: "sli", word: "SLI", colour: "#b1b4b9" },
] as const;

/** A mask in words, as "power + thermal". */
export function perfcapWords(mask: number): string {
  return limits.filter(({ bit }) => (mask & bit) !== 0).map(({ word }) => word.toLowerCase()).join(" + ") || "not limited";
}

/** The rules that gpulse has by default (docs/rules.md). */
export const rules = {
  gpu_temperature: 85,
  hot_spot_temperature: 100,
  memory_temperature: 100,
  hottest_memory_chip_temperature: 100,
  cpu_temperature: 80,
  board_power_draw: 300,
  gpu_load: 95,
} as const;
/** So near to its rule is worth a look. */
export const nearDegrees = 5;
