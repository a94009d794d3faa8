import assert from "node:assert/strict";
import { test } from "node:test";
import type { Metric } from "../api/types";
import { lanesOfValue } from "./limits";
import { closeness } from "./rules";
import { tilesOf } from "./tiles";
import { labelOf, topicsOf } from "./topics";

function metric(name: string, unit: string, group: string, kind: Metric["kind"] = "gauge"): Metric {
  return { name, unit, group, kind, decimals: 1 };
}

const old = [
  metric("gpu_clock", "MHz", "clock"), metric("memory_clock", "MHz", "clock"), metric("gpu_temperature", "°C", "temperature"),
  metric("gpu_chip_power_draw", "W", "power"), metric("gpu_load", "%", "load"), metric("gpu_memory_used", "MB", "memory"),
];

test("a log of seven columns has the topics that it has", () => {
  assert.deepEqual(topicsOf(old).map((t) => t.title), ["Temperature", "Power", "Load", "Clocks", "Memory"]);
  assert.deepEqual(tilesOf(old, 8, () => false).map((t) => t.label),
    ["GPU core", "Chip power", "GPU load", "GPU clock", "GPU memory"]);
});

test("unknown sensors are tracks of their own, by unit", () => {
  const topics = topicsOf([...old, metric("flow", "l/h", "other"), metric("pump", "RPM", ""), metric("flow_2", "l/h", "other")]);
  assert.deepEqual(topics.slice(-2).map((t) => [t.unit, t.metrics.map((m) => m.label)]), [["l/h", ["Flow", "Flow, 2"]], ["RPM", ["Pump"]]]);
});

test("feeds are stacked under the board's power, what only consumes is off", () => {
  const [power] = topicsOf([
    metric("mvddc_power_draw", "W", "rail"), metric("pcie_slot_power", "W", "rail"), metric("board_power_draw", "W", "power"),
    metric("pcie_8pin1_power", "W", "rail"), metric("power_consumption_percent", "% TDP", "power"), metric("pcie_slot_voltage", "V", "rail"),
  ]);
  assert.deepEqual(power?.metrics.map((m) => [m.label, m.stacked, m.shown]), [
    ["Board", false, true], ["8-pin #1", true, true], ["PCIe slot", true, true], ["MVDDC", false, false], ["% of TDP", false, false],
  ]);
});

test("the fan's tile is the one that says something", () => {
  const fans = [metric("fan1_speed_percent", "%", "fan"), metric("fan1_speed_rpm", "RPM", "fan"), metric("fan2_speed_percent", "%", "fan")];
  assert.deepEqual(tilesOf(fans, 8, (n) => n === "fan1_speed_rpm").map((t) => [t.label, t.metric.unit]), [["Fan 1", "%"]]);
  assert.deepEqual(tilesOf(fans.slice(0, 2), 8, () => false).map((t) => [t.label, t.metric.unit]), [["Fan", "RPM"]]);
});

test("names of sensors that nobody knows are made readable", () => {
  assert.equal(labelOf("sensor_12v_ripple"), "12v ripple");
  assert.equal(labelOf("pcie_8pin2_power"), "8-pin #2");
  assert.equal(labelOf("fan3_speed_rpm"), "Fan 3 speed");
});

test("the utilisation bit is no limit, alone or beside one", () => {
  assert.deepEqual(lanesOfValue(16, false), ["not_limited"]);
  assert.deepEqual(lanesOfValue(0, true), ["idle"]);
  assert.deepEqual(lanesOfValue(16 + 1 + 2, false), ["power", "thermal"]);
  assert.deepEqual(lanesOfValue(64, false), ["not_limited"]);
});

test("near a rule is five degrees, or five percent of other units", () => {
  const rule = { rule: "", metric: "", limit: 85, release: 82, for_seconds: 10, severity: "warning", above: true } as const;
  assert.deepEqual([79.9, 80, 85, 85.1].map((v) => closeness(v, rule, "°C")), ["ok", "near", "near", "over"]);
  assert.equal(closeness(286, { ...rule, limit: 300 }, "W"), "near");
});
