import assert from "node:assert/strict";
import { test } from "node:test";
import { csvOf } from "./csv";
import { formatLink, parseLink, type Link } from "./url";

function roundTrip(link: Link): Link {
  return parseLink(formatLink(link));
}

test("a link brings back device, range and hidden series", () => {
  const link: Link = {
    device: { host: "my rig/ä", gpu: "gpu0&1" },
    range: { kind: "fixed", from: Date.parse("2023-06-16T08:17:08Z"), to: Date.parse("2023-06-16T09:00:00Z") },
    toggled: new Map([["gpu_load", false], ["mvddc_power_draw", true]]),
  };
  assert.deepEqual(roundTrip(link), link);
});

test("presets and sessions have names of their own", () => {
  const device = { host: "rig", gpu: "gpu0" };
  assert.equal(formatLink({ device, range: { kind: "last", ms: 3_600_000 }, toggled: new Map() }), "#host=rig&gpu=gpu0&range=1h");
  const session: Link = { device, range: { kind: "session", source: "ab~2", session: 680 }, toggled: new Map() };
  assert.deepEqual(roundTrip(session), session);
});

test("nonsense in a link is no range", () => {
  assert.deepEqual(parseLink("#range=fortnight&from=x&to=y&session=z"), { device: null, range: null, toggled: new Map() });
});

test("a saved table has a line a row, and nothing for what is absent", () => {
  const series = (metric: string, mean: (number | null)[], count: number[]) => ({ metric, unit: "", time: [0, 500, 1000], mean, min: mean, max: mean, count });
  const text = csvOf([series("a", [1, null, 2.5], [1, 0, 1]), series("b", [7, null, null], [1, 0, 0])], true);
  assert.equal(text, "time,a,b\r\n1970-01-01T00:00:00.000Z,1,7\r\n1970-01-01T00:00:01.000Z,2.5,\r\n");
});
