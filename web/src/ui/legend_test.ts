import assert from "node:assert/strict";
import { test } from "node:test";
import { wrappedLines } from "./legend";

test("pieces fill a line before the next begins", () => {
  assert.equal(wrappedLines([], 12, 100), 0);
  assert.equal(wrappedLines([100], 12, 100), 1);
  assert.equal(wrappedLines([44, 44], 12, 100), 1);
  assert.equal(wrappedLines([44, 45], 12, 100), 2);
  assert.equal(wrappedLines([44, 44, 44, 44, 44], 12, 100), 3);
});

test("a piece wider than the line has a line of its own", () => {
  assert.equal(wrappedLines([20, 300, 20], 12, 100), 3);
});
