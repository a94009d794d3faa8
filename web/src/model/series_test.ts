import assert from "node:assert/strict";
import { test } from "node:test";
import { align, appendRow, dropBefore, entryAt, extent, frameOf, gapLimit, toSeries, type Frame, type Value } from "./series";

function frame(raw: boolean, time: number[], mean: Value[]): Frame {
  const count = mean.map((v) => (v === null ? 0 : 1));
  const iso = (ms: number) => new Date(ms).toISOString();
  return frameOf(
    { from: iso(0), to: iso(100_000), raw, series: [{ metric: "t", unit: "°C", time, min: [...mean], max: [...mean], mean, count }] }, 10);
}

const row = (time: number, value: Value, session = "s:1") => ({ time, values: new Map([["t", value]]), session });
const only = (f: Frame) => f.series.get("t")!;

test("a gap begins above five seconds or three usual steps", () => {
  assert.equal(gapLimit(1), 5000);
  assert.equal(gapLimit(2), 6000);
});

test("raw rows are appended one by one", () => {
  const f = frame(true, [1000, 2000], [50, 51]);
  appendRow(f, row(3000, 52), 5000);
  assert.deepEqual(only(f).time, [1000, 2000, 3000]);
  assert.deepEqual(only(f).mean, [50, 51, 52]);
});

test("a row that the frame already holds is not drawn twice", () => {
  const f = frame(true, [1000], [50]);
  f.lastSession = "s:1";
  appendRow(f, row(1000, 50), 5000);
  assert.equal(only(f).time.length, 1);
});

test("logging that stopped, and another session, leave a gap", () => {
  const f = frame(true, [1000], [50]);
  appendRow(f, row(9000, 51), 5000);
  appendRow(f, row(10_000, 52, "s:2"), 5000);
  assert.deepEqual(only(f).mean, [50, null, 51, null, 52]);
});

test("columns gather minimum, mean and maximum of what falls into them", () => {
  const f = frame(false, [10_000], [50]);
  f.lastRow = 15_000;
  appendRow(f, row(16_000, 54), 5000);
  appendRow(f, row(17_000, 49), 5000);
  appendRow(f, row(21_000, 40), 5000);
  assert.deepEqual(only(f).time, [10_000, 20_000]);
  assert.deepEqual([only(f).min[0], only(f).mean[0], only(f).max[0], only(f).count[0]], [49, 51, 54, 3]);
});

test("an absent reading in a column takes nothing from the others", () => {
  const f = frame(false, [10_000], [null]);
  f.lastRow = 15_000;
  appendRow(f, row(16_000, 54), 5000);
  appendRow(f, row(17_000, null), 5000);
  assert.deepEqual([only(f).min[0], only(f).mean[0], only(f).count[0]], [54, 54, 1]);
});

test("bit masks gather seconds per value", () => {
  const series = toSeries({ metric: "p", unit: "", time: [0], count: [1], values: [{ value: 16, seconds: [1] }] });
  const f: Frame = { from: 0, to: 10_000, step: 0, series: new Map([["p", series]]), lastRow: 0, lastSession: "s" };
  appendRow(f, { time: 1000, values: new Map([["p", 1]]), session: "s" }, 5000);
  assert.deepEqual(series.values, [{ value: 16, seconds: [1, 0] }, { value: 1, seconds: [0, 1] }]);
});

test("old entries go in bites, and one stays left of the edge", () => {
  const time = Array.from({ length: 200 }, (_, i) => i * 1000);
  const f = frame(true, time, time.map(() => 1));
  dropBefore(only(f), 100_000);
  assert.deepEqual([only(f).time[0], only(f).mean.length], [99_000, 101]);
});

test("the cursor finds the column it stands on, the nearest row, or nothing", () => {
  const s = only(frame(true, [0, 1000, 2000, 9000], [1, 2, 3, 4]));
  assert.equal(entryAt(s, 1400, 0), 1);
  assert.equal(entryAt(s, 2500, 1000), 2);
  assert.equal(entryAt(s, 5000, 1000), -1);
});

test("extents take in the entry that the line enters from", () => {
  const s = only(frame(true, [0, 1000, 2000], [90, 50, 51]));
  assert.deepEqual(extent(s, 500, 3000), { min: 50, max: 90 });
  assert.equal(extent(only(frame(true, [0], [null])), 0, 1), null);
});

test("series of one layout share their axis, of several they are put on one", () => {
  const a = only(frame(true, [0, 1000], [1, 2]));
  const b = only(frame(true, [0, 1000], [3, 4]));
  assert.equal(align([a, b]).columns[1]!.mean, b.mean);
  const c = only(frame(true, [1000, 2000], [5, 6]));
  const joined = align([a, c]);
  assert.deepEqual(joined.time, [0, 1000, 2000]);
  assert.deepEqual(joined.columns[1]!.mean, [null, 5, 6]);
});
