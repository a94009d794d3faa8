import { appendRow, widenColumn, type Frame, type LiveRow } from "../model/series";

/** Rows that came lately, for frames that were asked for before and arrive after them. */
const keptMost = 600;
let rows: LiveRow[] = [];

export function remember(added: readonly LiveRow[]): void {
  rows = [...rows, ...added].slice(-keptMost);
}

export function forget(): void {
  rows = [];
}

/**
 * Adds to a frame that has just arrived what came since it was asked for. `knownLast` is the last
 * row that the page knew of then: a frame of columns does not say where its last row stood.
 */
export function catchUp(frame: Frame, knownLast: number, gapMs: number): void {
  if (frame.step > 0) {
    frame.lastRow = Math.max(frame.lastRow, Math.min(knownLast, frame.to));
    for (const row of rows) {
      // Within the range the server may or may not have seen the row: its extremes are sure, its
      // weight in the mean is not.
      if (row.time <= frame.to) widenColumn(frame, row);
      else appendRow(frame, row, gapMs);
    }
    return;
  }
  for (const row of rows) if (row.time > frame.lastRow) appendRow(frame, row, gapMs);
}
