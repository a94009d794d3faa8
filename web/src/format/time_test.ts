import assert from "node:assert/strict";
import { test } from "node:test";
import { Zone, formatAge, formatDuration } from "./time";

const berlin = new Zone("Europe/Berlin");

test("instants are told by the device's clock", () => {
  const time = Date.parse("2023-06-16T09:23:07Z");
  assert.equal(berlin.clock(time), "11:23:07");
  assert.equal(berlin.date(time), "16 Jun 2023");
  assert.equal(new Zone("Asia/Kathmandu").hourMinute(time), "15:08");
});

test("the clock follows a change to summer time within the hour", () => {
  assert.equal(berlin.clock(Date.parse("2023-03-26T00:59:59Z")), "01:59:59");
  assert.equal(berlin.clock(Date.parse("2023-03-26T01:00:00Z")), "03:00:00");
});

test("a local time becomes the instant that it names", () => {
  const noon = Date.parse("2023-06-16T10:00:00Z");
  assert.equal(berlin.instant(berlin.local(noon)), noon);
});

test("a zone that the browser does not know is shown as UTC", () => {
  assert.equal(new Zone("Mars/Olympus").clock(Date.parse("2023-06-16T09:23:07Z")), "09:23:07");
});

test("another day's clock carries its date", () => {
  const time = Date.parse("2020-03-16T20:13:05Z");
  assert.equal(berlin.clockNear(time, time + 60_000), "21:13:05");
  assert.equal(berlin.clockNear(time, time + 86_400_000), "16 Mar 21:13:05");
});

test("durations have two units at most", () => {
  assert.equal(formatDuration(2), "2 s");
  assert.equal(formatDuration(124), "2 min 04 s");
  assert.equal(formatDuration(300), "5 min");
  assert.equal(formatDuration(4826), "1 h 20 min");
  assert.equal(formatDuration(273_600), "3 d 4 h");
});

test("ages have tenths below ten seconds", () => {
  assert.equal(formatAge(800), "0.8 s");
  assert.equal(formatAge(9_960), "10 s");
  assert.equal(formatAge(-50), "0.0 s");
});
