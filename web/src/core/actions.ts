import type { Alert, Session } from "../api/types";
import { follows, openingRange, panned, sameRange, zoomed, type Range, type View } from "../model/range";
import { labelOf, type Topic, type TopicMetric } from "../model/topics";
import { load } from "./loader";
import { currentDevice, cursorStore, serverNow, store, type State } from "./state";
import { clearCursor, setCursor } from "./cursor";

/** Sets the range; `remember` puts the old one where Backspace finds it. */
export function setRange(range: Range, remember: boolean): void {
  const { range: old, back } = store.get();
  if (sameRange(range, old)) return;
  store.set({ range, back: remember ? [...back.slice(-49), old] : [], held: null });
  clearCursor();
  void load();
}

export function zoomTo(from: number, to: number): void {
  setRange({ kind: "fixed", from, to }, true);
}

export function zoomAt(time: number | null, factor: number): void {
  const { view } = store.get();
  if (!view) return;
  const next = zoomed(view, time ?? (view.from + view.to) / 2, factor);
  const keep = cursorStore.get().time;
  zoomTo(next.from, next.to);
  if (keep !== null) setCursor(keep);
}

/**
 * Shows another stretch with what is there: for each move of a drag or a pinch, whose end loads. The range
 * before the `first` move is remembered, none of those between.
 */
export function moveTo(view: View, first: boolean): void {
  const { range, back } = store.get();
  store.set({
    range: { kind: "fixed", ...view }, view, moving: true, held: null, back: first ? [...back.slice(-49), range] : back,
  });
}

export function panBy(ms: number, first: boolean): void {
  const { view } = store.get();
  if (view) moveTo(panned(view, ms), first);
}

export function goBack(): void {
  const state = store.get();
  const range = state.back[state.back.length - 1];
  if (range) store.set({ range, back: state.back.slice(0, -1) });
  else if (state.range.kind === "fixed") store.set({ range: openingRange(state.sessions) });
  else return;
  clearCursor();
  void load();
}

export function showSession(session: Session): void {
  setRange({ kind: "session", source: session.source, session: session.session }, true);
}

/** The session before (−1) or after (+1) the one in view. */
export function stepSession(direction: -1 | 1): void {
  const { sessions, view } = store.get();
  if (!view || !sessions.length) return;
  const middle = (view.from + view.to) / 2;
  const shown = sessions.findIndex((s) => Date.parse(s.first) <= middle);
  const next = sessions[(shown < 0 ? sessions.length - 1 : shown) - direction];
  if (next) showSession(next);
}

/** Shows an alert with some time around it, and puts the cursor on its peak. */
export function showAlert(alert: Alert): void {
  const began = Date.parse(alert.began);
  const ended = alert.ended ? Date.parse(alert.ended) : serverNow();
  const air = Math.max(60_000, (ended - began) * 0.5);
  zoomTo(began - air, ended + air);
  setCursor(Date.parse(alert.peak_at));
}

/** The next (+1) or previous (−1) alert of the range: moves the cursor to it. */
export function stepAlert(direction: -1 | 1): void {
  const times = store.get().alerts.map((a) => Date.parse(a.peak_at)).sort((a, b) => a - b);
  const at = cursorStore.get().exact?.time ?? cursorStore.get().time ?? (direction > 0 ? -Infinity : Infinity);
  const next = direction > 0 ? times.find((t) => t > at + 500) : times.reverse().find((t) => t < at - 500);
  if (next !== undefined) setCursor(next);
}

export function toggleHold(): void {
  const state = store.get();
  const device = currentDevice(state);
  if (state.held !== null) {
    store.set({ held: null });
    void load();
  } else if (device && follows(state.range, device, state.sessions)) {
    store.set({ held: 0 });
  }
}

/** A sensor that reads 0 in every row of the range, at a place where 0 means "not there". */
export function isSilent(state: State, name: string): boolean {
  const stats = state.stats?.metrics.find((m) => m.metric === name);
  if (stats && stats.count > 0) return stats.constant && stats.first?.value === 0;
  return state.now?.values.get(name) === 0 && /_rpm$/.test(name);
}

export function isShown(state: State, one: TopicMetric): boolean {
  const chosen = state.toggled.get(one.metric.name);
  if (chosen !== undefined) return chosen;
  const mayBeMissing = one.metric.group === "temperature" || one.metric.group === "voltage";
  return one.shown && !(mayBeMissing && isSilent(state, one.metric.name));
}

export function toggleSeries(one: TopicMetric): void {
  const state = store.get();
  const toggled = new Map(state.toggled);
  const shown = isShown(state, one);
  // What is as it was at first needs no word in the link.
  toggled.delete(one.metric.name);
  if (isShown({ ...state, toggled }, one) === shown) toggled.set(one.metric.name, !shown);
  store.set({ toggled });
}

/** Shows one series of its topic alone; again: all as they were by default. */
export function soloSeries(topic: Topic, one: TopicMetric): void {
  const toggled = new Map(store.get().toggled);
  const alone = topic.metrics.every((m) => (toggled.get(m.metric.name) ?? m.shown) === (m === one));
  for (const m of topic.metrics) {
    if (alone) toggled.delete(m.metric.name);
    else toggled.set(m.metric.name, m === one);
  }
  store.set({ toggled });
}

/** In the tab: the worst of what fires now, or the device's name. */
export function titleOf(state: State): string {
  const device = currentDevice(state);
  if (!device) return "gpulse";
  const firing = state.alerts.find((a) => a.state === "firing" && a.severity !== "info");
  if (!firing) return `${device.host} / ${device.gpu} · gpulse`;
  const value = state.now?.values.get(firing.metric) ?? firing.peak;
  return `◆ ${Math.round(value)} ${firing.unit} ${labelOf(firing.metric)}`;
}
