import assert from "node:assert/strict";
import { test } from "node:test";
import { decimalsOf, formatBytes, formatNumber, formatShare, formatShort, plural } from "./number";

test("numbers keep the log's decimals, with a thin space as thousands mark", () => {
  assert.equal(formatNumber(1995, 1), "1\u202f995.0");
  assert.equal(formatNumber(1234567, 0), "1\u202f234\u202f567");
  assert.equal(formatNumber(999.95, 1), "1\u202f000.0");
  assert.equal(formatNumber(0.7060, 3), "0.706");
});

test("minus is a true minus, and nothing is minus zero", () => {
  assert.equal(formatNumber(-12.5, 1), "\u221212.5");
  assert.equal(formatNumber(-0.04, 1), "0.0");
});

test("short numbers have only the decimals that they need", () => {
  assert.equal(formatShort(85), "85");
  assert.equal(formatShort(82.5), "82.5");
  assert.equal(decimalsOf(0.1 + 0.2, 3), 1);
});

test("shares never round to none or all", () => {
  assert.equal(formatShare(0), "0 %");
  assert.equal(formatShare(0.001), "< 1 %");
  assert.equal(formatShare(0.43), "43 %");
  assert.equal(formatShare(0.9999), "> 99 %");
  assert.equal(formatShare(1), "100 %");
});

test("bytes and plurals", () => {
  assert.equal(formatBytes(576), "576 bytes");
  assert.equal(formatBytes(3_282_360), "3.28 MB");
  assert.equal(plural(1, "row"), "1 row");
  assert.equal(plural(4826, "row"), "4\u202f826 rows");
});
