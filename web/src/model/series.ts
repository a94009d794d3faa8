import type { ApiSeries, QueryResult } from "../api/types";

export type Value = number | null;

/**
 * One metric over the visible range, in columns of `Frame.step` milliseconds, or row by row when
 * step is 0. A null is a gap: absent reading, logging that stopped, or another session.
 */
export interface Series {
  metric: string;
  unit: string;
  time: number[];
  min: Value[];
  max: Value[];
  mean: Value[];
  count: number[];
  /** Bit masks have, instead of readings, the seconds per value and entry. */
  values: { value: number; seconds: number[] }[] | null;
}

export interface Frame {
  from: number;
  to: number;
  /** Width of a column in ms; 0: raw rows. */
  step: number;
  series: Map<string, Series>;
  /** The last row that the frame holds, for gaps between it and the next one. */
  lastRow: number;
  lastSession: string;
}

export function toSeries(api: ApiSeries): Series {
  const none = api.time.map(() => null);
  return {
    metric: api.metric,
    unit: api.unit,
    time: api.time,
    min: api.min ?? none,
    max: api.max ?? none,
    mean: api.mean ?? none,
    count: api.count,
    values: api.values ?? null,
  };
}

export function frameOf(result: QueryResult, points: number): Frame {
  const from = Date.parse(result.from);
  const to = Date.parse(result.to);
  const series = new Map(result.series.map((s) => [s.metric, toSeries(s)]));
  let lastRow = -Infinity;
  for (const s of series.values()) lastRow = Math.max(lastRow, s.time[s.time.length - 1] ?? -Infinity);
  return { from, to, step: result.raw ? 0 : (to - from) / points, series, lastRow, lastSession: "" };
}

/** Joins what two queries over the same range brought. Raw and columns may differ when rows arrived between them. */
export function mergeFrames(a: Frame, b: Frame): Frame {
  return {
    ...a,
    step: Math.max(a.step, b.step),
    series: new Map([...a.series, ...b.series]),
    lastRow: Math.max(a.lastRow, b.lastRow),
  };
}

/** A step of this length or more is a gap. */
export function gapLimit(usualStepSeconds: number): number {
  return Math.max(5000, 3000 * usualStepSeconds);
}

export interface LiveRow {
  time: number;
  values: Map<string, Value>;
  session: string;
}

/** Puts a row at the frame's end. Series of metrics that the row lacks get no entry. */
export function appendRow(frame: Frame, row: LiveRow, gapMs: number): void {
  if (row.time <= frame.lastRow && row.session === frame.lastSession) return;
  const gap =
    Number.isFinite(frame.lastRow) &&
    (row.time - frame.lastRow > gapMs || (frame.lastSession !== "" && frame.lastSession !== row.session));
  const column = frame.step > 0 ? frame.from + Math.floor((row.time - frame.from) / frame.step) * frame.step : row.time;
  for (const [metric, value] of row.values) {
    const series = frame.series.get(metric);
    if (!series) continue;
    if (gap) pushEntry(series, (frame.lastRow + row.time) / 2, null);
    if (series.values) appendMask(series, column, value, Math.min((row.time - frame.lastRow) / 1000, gapMs / 1000));
    else appendReading(series, column, value);
  }
  frame.lastRow = row.time;
  frame.lastSession = row.session;
}

/** Lets a row that may already be counted widen the last column that it falls into; doing so twice changes nothing. */
export function widenColumn(frame: Frame, row: LiveRow): void {
  for (const [metric, value] of row.values) {
    const series = frame.series.get(metric);
    const i = (series?.time.length ?? 0) - 1;
    const start = series?.time[i];
    if (!series || series.values || value === null || start === undefined || row.time < start || series.mean[i] == null) continue;
    if (row.time >= start + frame.step) continue;
    series.min[i] = Math.min(series.min[i] ?? value, value);
    series.max[i] = Math.max(series.max[i] ?? value, value);
  }
}

function pushEntry(series: Series, time: number, value: Value): void {
  series.time.push(time);
  series.min.push(value);
  series.max.push(value);
  series.mean.push(value);
  series.count.push(value === null ? 0 : 1);
  for (const v of series.values ?? []) v.seconds.push(0);
}

function appendReading(series: Series, column: number, value: Value): void {
  const i = series.time.length - 1;
  if (series.time[i] !== column) return pushEntry(series, column, value);
  if (value === null) return;
  const count = series.count[i] ?? 0;
  series.min[i] = count ? Math.min(series.min[i] ?? value, value) : value;
  series.max[i] = count ? Math.max(series.max[i] ?? value, value) : value;
  series.mean[i] = ((series.mean[i] ?? 0) * count + value) / (count + 1);
  series.count[i] = count + 1;
}

function appendMask(series: Series, column: number, value: Value, seconds: number): void {
  if (series.time[series.time.length - 1] !== column) pushEntry(series, column, null);
  if (value === null || !series.values) return;
  let entry = series.values.find((v) => v.value === value);
  if (!entry) {
    entry = { value, seconds: series.time.map(() => 0) };
    series.values.push(entry);
  }
  const i = series.time.length - 1;
  entry.seconds[i] = (entry.seconds[i] ?? 0) + (Number.isFinite(seconds) ? seconds : 0);
}

/** Forgets entries before `from`, all but one, so that the line still enters from the left edge. */
export function dropBefore(series: Series, from: number): void {
  let n = lowerBound(series.time, from) - 1;
  // Cutting an array costs its whole length: done for a good bite at a time.
  if (n < 64) return;
  if (n >= series.time.length) n = series.time.length;
  for (const array of [series.time, series.min, series.max, series.mean, series.count]) array.splice(0, n);
  for (const v of series.values ?? []) v.seconds.splice(0, n);
}

/** First index whose time is not below `time`. */
export function lowerBound(times: readonly number[], time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the entry that `time` falls on: its column, or the nearest row; −1 where there is none. */
export function entryAt(series: Series, time: number, step: number): number {
  const i = lowerBound(series.time, time);
  if (step > 0) {
    const at = series.time[i] === time ? i : i - 1;
    const start = series.time[at];
    return start !== undefined && time < start + step * 1.001 ? at : -1;
  }
  const before = series.time[i - 1];
  const after = series.time[i];
  if (before === undefined) return after === undefined ? -1 : i;
  if (after === undefined) return i - 1;
  return time - before <= after - time ? i - 1 : i;
}

export interface Extent {
  min: number;
  max: number;
}

/** Least and largest reading within [from, to]; null without any. */
export function extent(series: Series, from: number, to: number): Extent | null {
  let min = Infinity;
  let max = -Infinity;
  const start = Math.max(0, lowerBound(series.time, from) - 1);
  for (let i = start; i < series.time.length && (series.time[i] as number) <= to; i++) {
    const low = series.min[i];
    const high = series.max[i];
    if (low != null && low < min) min = low;
    if (high != null && high > max) max = high;
  }
  return min <= max ? { min, max } : null;
}

export interface Aligned {
  time: number[];
  /** Per series: mean, min, max at each of `time`. */
  columns: { mean: Value[]; min: Value[]; max: Value[] }[];
}

/** Puts series on one common time axis, as uPlot wants them. Most logs have one layout: then nothing is copied. */
export function align(list: readonly Series[]): Aligned {
  const first = list[0];
  if (!first) return { time: [], columns: [] };
  if (list.every((s) => sameTimes(s.time, first.time))) {
    return { time: first.time, columns: list.map(({ mean, min, max }) => ({ mean, min, max })) };
  }
  const time = [...new Set(list.flatMap((s) => s.time))].sort((a, b) => a - b);
  return { time, columns: list.map((s) => spread(s, time)) };
}

function sameTimes(a: number[], b: number[]): boolean {
  return a === b || (a.length === b.length && a.every((t, i) => t === b[i]));
}

function spread(series: Series, time: number[]): { mean: Value[]; min: Value[]; max: Value[] } {
  const mean: Value[] = new Array<Value>(time.length).fill(null);
  const min = mean.slice();
  const max = mean.slice();
  let j = 0;
  for (let i = 0; i < time.length && j < series.time.length; i++) {
    if (time[i] !== series.time[j]) continue;
    mean[i] = series.mean[j] ?? null;
    min[i] = series.min[j] ?? null;
    max[i] = series.max[j] ?? null;
    j++;
  }
  return { mean, min, max };
}
