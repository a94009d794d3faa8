import type { Metric } from "../api/types";
import { cursorStore, currentDevice, store, type Cursor } from "../core/state";
import { dash, formatNumber } from "../format/number";
import { ruleOf, stateOf } from "../model/rules";
import { follows } from "../model/range";
import { entryAt, type Value } from "../model/series";
import { useApp, useStore } from "./hooks";

/** More decimals than this are in no sensor: GPU-Z prints its millivolts with a fourth that is 0. */
export const decimalsMost = 3;

export const decimalsFor = (metric: Metric) => Math.min(metric.decimals, decimalsMost);

/** The reading under the cursor, or now, or the range's last. Undefined where nothing is known. */
export function readingOf(metric: string, cursor: Cursor): Value | undefined {
  const state = store.get();
  if (cursor.exact) return cursor.exact.values.get(metric);
  if (cursor.time !== null) {
    const series = state.frame?.series.get(metric);
    const i = series ? entryAt(series, cursor.time, state.frame?.step ?? 0) : -1;
    return i < 0 ? undefined : series?.mean[i];
  }
  const device = currentDevice(state);
  if (device && follows(state.range, device, state.sessions)) return state.now?.values.get(metric);
  return state.stats?.metrics.find((m) => m.metric === metric)?.last?.value;
}

/** A number that follows cursor and live rows on its own, so that its table need not. */
export function ReadingCell({ metric }: { metric: Metric }) {
  const cursor = useStore(cursorStore, (c) => c);
  useApp((s) => s.now);
  useApp((s) => s.frame);
  useApp((s) => s.stats);
  const rule = useApp((s) => ruleOf(s.rules, metric.name));
  const value = readingOf(metric.name, cursor);
  if (value === undefined) return <></>;
  if (value === null) return <>{dash}</>;
  const over = stateOf(value, rule, metric.unit) === "over";
  const text = formatNumber(value, decimalsFor(metric));
  return over ? <span class="over">{text}</span> : <>{text}</>;
}
