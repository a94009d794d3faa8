import { api } from "../api/client";
import type { Value } from "../model/series";
import { lowerBound } from "../model/series";
import { currentDevice, cursorStore, store } from "./state";

/** The pointer rests for this long before the row under it is asked for. */
const restMs = 70;

let timer: ReturnType<typeof setTimeout> | undefined;
let asking = new AbortController();

export function clearCursor(): void {
  clearTimeout(timer);
  asking.abort();
  if (cursorStore.get().time !== null) cursorStore.set({ time: null, exact: null });
}

export function setCursor(time: number): void {
  clearTimeout(timer);
  asking.abort();
  cursorStore.set({ time, exact: null });
  timer = setTimeout(() => void readRow(time), restMs);
}

/** Moves the cursor by columns; without one it starts at the right edge. */
export function stepCursor(columns: number): void {
  const { view, plotWidth } = store.get();
  if (!view) return;
  const column = (view.to - view.from) / plotWidth;
  const rows = rowTimes();
  const at = cursorStore.get().exact?.time ?? cursorStore.get().time ?? view.to;
  // Where a column is less than a row, a step is a row: otherwise a key would seem to do nothing.
  const spacing = rows.length > 1 ? ((rows[rows.length - 1] as number) - (rows[0] as number)) / (rows.length - 1) : 0;
  if (spacing > column) {
    const i = lowerBound(rows, at) + columns;
    const time = rows[Math.min(Math.max(i, 0), rows.length - 1)];
    if (time !== undefined) setCursor(time);
    return;
  }
  setCursor(Math.min(Math.max(at + columns * column, view.from), view.to));
}

function rowTimes(): number[] {
  const { frame } = store.get();
  if (!frame || frame.step > 0) return [];
  return frame.series.values().next().value?.time ?? [];
}

/** The row nearest to the cursor, so that its numbers are readings and not means of a column. */
async function readRow(time: number): Promise<void> {
  const state = store.get();
  const device = currentDevice(state);
  if (!device || !state.view) return;
  asking = new AbortController();
  const signal = asking.signal;
  const reach = Math.max(1500, ((state.view.to - state.view.from) / state.plotWidth) * 0.75);
  const names = device.metrics.filter((m) => m.kind !== "bitmask").map((m) => m.name);
  if (!names.length) return;
  try {
    const { series, raw } = await api.query(device, names, { from: time - reach, to: time + reach }, 2000, signal);
    if (signal.aborted || !raw) return;
    const row = nearestRow(series.flatMap((s) => s.time.filter((_, i) => (s.count[i] ?? 0) > 0)), time);
    if (row === null) return;
    const values = new Map<string, Value>();
    for (const s of series) values.set(s.metric, s.mean?.[s.time.indexOf(row)] ?? null);
    cursorStore.set({ time: row, exact: { time: row, values } });
  } catch {
    // Not connected, or overtaken by the next move: the column's means stay.
  }
}

function nearestRow(times: number[], time: number): number | null {
  let best: number | null = null;
  for (const t of times) if (best === null || Math.abs(t - time) < Math.abs(best - time)) best = t;
  return best;
}
