import assert from "node:assert/strict";
import { test } from "node:test";
import { scaleFitted, scaleFromZero, timeTicks, valueTicks } from "./ticks";
import { Zone } from "./time";

const berlin = new Zone("Europe/Berlin");
const labels = (from: string, to: string, width: number) =>
  timeTicks(Date.parse(from), Date.parse(to), width, berlin).map((t) => t.label);

test("time ticks stand on round local times, 80 px apart or more", () => {
  assert.deepEqual(labels("2023-06-16T08:17:08Z", "2023-06-16T09:37:34Z", 768),
    ["10:20", "10:30", "10:40", "10:50", "11:00", "11:10", "11:20", "11:30"]);
});

test("midnight is told by its date, days by theirs, years by theirs", () => {
  assert.deepEqual(labels("2023-06-16T18:00:00Z", "2023-06-17T04:00:00Z", 500), ["20:00", "22:00", "17 Jun", "02:00", "04:00", "06:00"]);
  assert.deepEqual(labels("2023-06-10T00:00:00Z", "2023-06-14T00:00:00Z", 400), ["11 Jun", "12 Jun", "13 Jun", "14 Jun"]);
  assert.deepEqual(labels("2020-02-01T00:00:00Z", "2023-02-01T00:00:00Z", 320), ["2021", "2022", "2023"]);
});

test("days stay on midnight across a clock change", () => {
  assert.deepEqual(labels("2023-03-24T12:00:00Z", "2023-03-28T12:00:00Z", 400), ["25 Mar", "26 Mar", "27 Mar", "28 Mar"]);
});

test("no range, no ticks", () => {
  assert.deepEqual(timeTicks(5, 5, 700, berlin), []);
});

test("scales from zero end a quarter of a tick above the data at most", () => {
  const power = scaleFromZero(240.2, 144);
  assert.deepEqual([power.max, power.ticks], [250, [0, 100, 200]]);
  assert.deepEqual(scaleFromZero(1995, 48).ticks, [0, 1000, 2000]);
  assert.equal(scaleFromZero(0, 48).max > 0, true);
});

test("fitted scales stretch in round steps and label two to four of them", () => {
  const temperature = scaleFitted(39.6, 85, 120, 0.1);
  assert.deepEqual([temperature.min, temperature.max, temperature.ticks], [30, 90, [40, 60, 80]]);
  const core = scaleFitted(0.706, 1.043, 32, 0.001);
  assert.deepEqual(core.ticks.map((t) => t.toFixed(core.decimals)), ["0.7", "1.0"]);
  const rails = scaleFitted(11.7, 11.9, 48, 0.1);
  assert.deepEqual(rails.ticks.map((t) => t.toFixed(rails.decimals)), ["11.7", "11.9"]);
});

test("a constant sensor has a scale with a height", () => {
  const { min, max } = scaleFitted(50, 50, 120, 1);
  assert.ok(min < 50 && max > 50);
  assert.ok(scaleFitted(0, 0, 120, 1).min === 0);
});

test("value ticks are four at most", () => {
  assert.deepEqual(valueTicks(0, 100, 68).ticks, [0, 50, 100]);
});
