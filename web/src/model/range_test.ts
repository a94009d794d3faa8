import assert from "node:assert/strict";
import { test } from "node:test";
import type { Device, Session } from "../api/types";
import { follows, openingRange, pinched, viewOf, zoomed } from "./range";

const iso = (ms: number) => new Date(ms).toISOString();
const hour = 3_600_000;

function device(state: Device["state"], first: number, last: number): Device {
  return {
    host: "rig", gpu: "gpu0", state, timezone: "UTC", rows: 2, first: iso(first), last: iso(last), last_arrival: iso(last), ahead: null,
    usual_step: 1, metrics: [],
  };
}

function session(first: number, last: number, number = 1): Session {
  return {
    source: "s", session: number, first: iso(first), last: iso(last), rows: 2, seconds: (last - first) / 1000, usual_step: 1,
    gpu_temperature_max: null, energy_kwh: null, columns: [],
  };
}

test("a live log counts back from now, an ended one from its last row", () => {
  const range = { kind: "last", ms: hour } as const;
  assert.deepEqual(viewOf(range, device("live", 0, 10 * hour), [], 10 * hour + 500), { from: 9 * hour + 500, to: 10 * hour + 500 });
  assert.deepEqual(viewOf(range, device("ended", 0, 10 * hour), [], 99 * hour), { from: 9 * hour, to: 10 * hour });
});

test("under a stale log time runs on", () => {
  assert.equal(viewOf({ kind: "all" }, device("stale", 0, hour), [], 2 * hour).to, 2 * hour);
});

test("the newest session of a live log is open, an older one is not", () => {
  const sessions = [session(5 * hour, 6 * hour, 2), session(0, hour, 1)];
  const live = device("live", 0, 6 * hour);
  assert.deepEqual(viewOf({ kind: "newest" }, live, sessions, 7 * hour), { from: 5 * hour, to: 7 * hour });
  assert.deepEqual(viewOf({ kind: "session", source: "s", session: 1 }, live, sessions, 7 * hour), { from: 0, to: hour });
  assert.equal(follows({ kind: "session", source: "s", session: 1 }, live, sessions), false);
  assert.equal(follows({ kind: "session", source: "s", session: 2 }, live, sessions), true);
});

test("a session that is gone opens the whole log", () => {
  assert.deepEqual(viewOf({ kind: "session", source: "x", session: 9 }, device("ended", 0, hour), [], 0), { from: 0, to: hour });
});

test("a single row still has a range to be drawn in", () => {
  const view = viewOf({ kind: "all" }, device("ended", hour, hour), [], 0);
  assert.ok(view.from < hour && view.to > hour);
});

test("zooming keeps what is under the cursor where it is", () => {
  assert.deepEqual(zoomed({ from: 0, to: hour }, hour / 4, 0.5), { from: hour / 8, to: hour * 5 / 8 });
  const narrow = zoomed({ from: 0, to: 1000 }, 500, 0.01);
  assert.equal(narrow.to - narrow.from, 10_000);
});

test("a device opens with its newest session, or the last hour of one that runs for days", () => {
  assert.deepEqual(openingRange([session(0, hour)]), { kind: "newest" });
  assert.deepEqual(openingRange([session(0, 100 * hour)]), { kind: "last", ms: hour });
  assert.deepEqual(openingRange([]), { kind: "all" });
});

test("two fingers keep their instants under them, within bounds", () => {
  const view = { from: 0, to: 100_000 };
  assert.deepEqual(pinched(view, [20_000, 45_000], [0.25, 0.75]), { from: 7_500, to: 57_500 });
  // Both moved alike: the same width, moved along.
  assert.deepEqual(pinched(view, [25_000, 50_000], [0.5, 0.75]), { from: -25_000, to: 75_000 });
  // Crossed fingers are no mirror, and fingers at one place no end of time.
  assert.deepEqual(pinched(view, [40_000, 60_000], [0.8, 0.2]), pinched(view, [40_000, 60_000], [0.2, 0.8]));
  const widest = pinched(view, [10_000, 90_000], [0.5, 0.5]);
  assert.equal(widest.to - widest.from, 2_000_000);
  const least = pinched(view, [50_000, 50_001], [0, 1]);
  assert.equal(least.to - least.from, 10_000);
});
