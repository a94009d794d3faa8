import { api } from "../api/client";
import { LiveConnection } from "../api/live";
import type { Alert, Device, RowsEvent, Window } from "../api/types";
import { follows, viewOf } from "../model/range";
import { appendRow, dropBefore, gapLimit, type LiveRow, type Value } from "../model/series";
import { firstChart } from "./first_chart";
import { onJob } from "./imports";
import { isFrameAwaited, load, loadFacts, openDevice, openPage, reloadSessions } from "./loader";
import { watchOutlets } from "./outlets";
import { remember } from "./recent";
import { currentDevice, sameDevice, serverNow, setServerNow, store } from "./state";

const windowsKept = 13;

/** Connects to the server's pushed events, and applies them to the state until the page is closed. */
export function follow(): void {
  let first = true;
  const live = new LiveConnection({
    hello(now) {
      const jumped = setServerNow(now);
      store.set({ connection: { kind: "open" } });
      // Whatever was missed while nobody answered is fetched again.
      void (first ? bridge(jumped) : refresh());
      first = false;
      void firstChart.then(watchOutlets);
    },
    rows: onRows,
    device: onDevice,
    alert: onAlert,
    window: onWindow,
    job: onJob,
    lost(retryAt) {
      first = false;
      store.set({ connection: { kind: "lost", retryAt } });
    },
  });
  live.open();
  setInterval(() => {
    tick();
    if (isOverdue()) void askServer(live);
  }, 1000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void load();
  });
}

/** What came after the page's first answers and before its stream is in neither. */
async function bridge(jumped: boolean): Promise<void> {
  if (store.get().devices === null) return;
  const before = currentDevice(store.get());
  await reloadDevices();
  const device = currentDevice(store.get());
  if (!before && store.get().devices?.length) return refresh();
  if (jumped || device?.rows !== before?.rows || device?.state !== before?.state) await load();
}

async function refresh(): Promise<void> {
  const { selected } = store.get();
  if (!selected) return openPage(null, null).catch(() => {});
  await reloadDevices();
  await reloadSessions().catch(() => {});
  await load();
}

async function reloadDevices(): Promise<void> {
  try {
    store.set({ devices: await api.devices() });
  } catch {
    // Lost again: the next hello comes here once more.
  }
}

function onDevice(device: Device): void {
  const state = store.get();
  const others = (state.devices ?? []).filter((d) => !sameDevice(d, device));
  const before = (state.devices ?? []).find((d) => sameDevice(d, device));
  store.set({ devices: [device, ...others] });
  if (!state.selected) return void openDevice(device, null);
  if (!sameDevice(device, state.selected)) return;
  const changed = before?.metrics.length !== device.metrics.length || before.state !== device.state;
  if (changed && state.held === null) void reloadSessions().then(load).catch(() => {});
}

function onRows(event: RowsEvent): void {
  const rows = event.rows.map((cells) => toRow(event, cells));
  const newest = rows[rows.length - 1];
  if (!newest) return;
  const state = store.get();
  const selected = sameDevice(event, state.selected);
  const devices = (state.devices ?? []).map((d) => (sameDevice(d, event) ? touched(d, newest, rows.length) : d));
  if (!selected) return store.set({ devices });
  remember(rows);
  if (state.held !== null) return store.set({ devices, held: state.held + rows.length });
  const values = new Map([...(state.now?.values ?? [])].map(([name]) => [name, null as Value]));
  for (const [name, value] of newest.values) values.set(name, value);
  store.set({ devices, now: { time: newest.time, values } });
  noteSession(event, newest, rows.length);
  if (document.hidden) return;
  if (event.dropped > 0) return void load();
  advance(rows);
}

function toRow(event: RowsEvent, cells: (number | null)[]): LiveRow {
  const values = new Map<string, Value>();
  event.metrics.forEach((name, i) => values.set(name, cells[i + 1] ?? null));
  return { time: cells[0] as number, values, session: `${event.source}:${event.session}` };
}

function touched(device: Device, row: LiveRow, rows: number): Device {
  // The rows of an import make nothing live. When an old log does come to life, the server says so.
  if (device.state === "ended") return device;
  const last = new Date(row.time).toISOString();
  return { ...device, state: "live", rows: device.rows + rows, last, last_arrival: new Date(serverNow()).toISOString() };
}

function noteSession(event: RowsEvent, row: LiveRow, rows: number): void {
  const [newest, ...older] = store.get().sessions;
  if (newest?.source !== event.source || newest.session !== event.session) {
    void reloadSessions().catch(() => {});
    return;
  }
  const last = new Date(row.time).toISOString();
  const seconds = newest.seconds + Math.min(5, Math.max(0, (row.time - Date.parse(newest.last)) / 1000));
  store.set({ sessions: [{ ...newest, last, rows: newest.rows + rows, seconds }, ...older] });
}

/** Moves the view on, with `rows` put at its end. */
function advance(rows: LiveRow[]): void {
  const state = store.get();
  const device = currentDevice(state);
  const { frame } = state;
  if (!device || !frame || !follows(state.range, device, state.sessions)) return;
  // The charts on their way will have these rows; what was asked with them may be without.
  if (isFrameAwaited()) return refreshFacts();
  const view = viewOf(state.range, device, state.sessions, serverNow());
  for (const row of rows) appendRow(frame, row, gapLimit(device.usual_step));
  for (const series of frame.series.values()) dropBefore(series, view.from);
  // A range with a fixed beginning grows: its columns are remade before they are half as wide as drawn.
  const columns = (view.to - view.from) / (frame.step || Infinity);
  const longest = Math.max(0, ...[...frame.series.values()].map((s) => s.time.length));
  if (columns > state.plotWidth * 1.25 || longest > state.plotWidth * 1.5) return void load();
  store.set({ view, frame: { ...frame } });
  refreshFacts();
}

let factsBusy = false;
let factsNext = 0;

// At most once a second, and less often where the server needs long for it.
function refreshFacts(): void {
  if (factsBusy) return;
  const wait = factsNext - performance.now();
  factsBusy = true;
  setTimeout(() => {
    const { view } = store.get();
    const device = currentDevice(store.get());
    const began = performance.now();
    const done = () => {
      factsBusy = false;
      factsNext = began + Math.max(1000, 5 * (performance.now() - began));
    };
    if (!device || !view || document.hidden) return done();
    loadFacts(device, view).then(done, done);
  }, Math.max(0, wait));
}

/** Once a second: when no row comes, time still runs on under a line that has stopped. */
function tick(): void {
  const state = store.get();
  const device = currentDevice(state);
  if (!device || document.hidden || state.held !== null || state.connection.kind !== "open") return;
  const idle = serverNow() - Date.parse(device.last_arrival);
  if (idle > 1500 && idle < 86_400_000 && follows(state.range, device, state.sessions)) {
    store.set({ view: viewOf(state.range, device, state.sessions, serverNow()) });
  }
}

/** A live log without rows is stale after a while, and the server says so. When even that does not come, is it there? */
function isOverdue(): boolean {
  const { connection } = store.get();
  const device = currentDevice(store.get());
  if (connection.kind !== "open" || device?.state !== "live") return false;
  return serverNow() - Date.parse(device.last_arrival) > Math.max(10_000, 10_000 * device.usual_step) + overdueMs;
}

const overdueMs = 3000;
const answerMs = 5000;
let asking = false;

/** A server that hangs, or a PC that fell asleep, ends no connection: it is asked, and given up without an answer. */
async function askServer(live: LiveConnection): Promise<void> {
  if (asking) return;
  asking = true;
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(), answerMs);
  try {
    store.set({ devices: await api.devices(aborter.signal) });
  } catch {
    live.giveUp();
  } finally {
    clearTimeout(timer);
    asking = false;
  }
}

function onAlert(alert: Alert): void {
  const { selected, view, alerts } = store.get();
  if (!sameDevice(alert, selected)) return;
  const same = (a: Alert) =>
    a.source === alert.source && a.session === alert.session && a.rule === alert.rule && a.began === alert.began;
  if (!alerts.some(same) && view && Date.parse(alert.began) > view.to + 60_000) return;
  store.set({ alerts: [alert, ...alerts.filter((a) => !same(a))].sort((a, b) => (a.began < b.began ? 1 : -1)) });
}

function onWindow(window: Window & { host: string; gpu: string }): void {
  const state = store.get();
  const device = currentDevice(state);
  if (!device || !sameDevice(window, device) || !follows(state.range, device, state.sessions)) return;
  const others = state.windows.filter((w) => w.from !== window.from || w.session !== window.session);
  const windows = [window, ...others].sort((a, b) => (a.from < b.from ? 1 : -1)).slice(0, windowsKept);
  store.set({ windows });
}
