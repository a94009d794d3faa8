import { api, ApiError, type DeviceKey } from "../api/client";
import type { Device } from "../api/types";
import { follows, openingRange, viewOf, type Range, type View } from "../model/range";
import { frameOf, gapLimit, mergeFrames, type Frame } from "../model/series";
import { firstChart } from "./first_chart";
import { catchUp, forget } from "./recent";
import { currentDevice, sameDevice, serverNow, store } from "./state";

/** How many of the 30 s windows the rail shows. */
const windowsShown = 13;

let running = new AbortController();

/** Fetches devices and rules, selects one, and loads it. */
export async function openPage(wanted: DeviceKey | null, range: Range | null): Promise<void> {
  await busy(async () => {
    const rules = api.rules().catch(() => []);
    const devices = await api.devices();
    store.set({ devices });
    void rules.then((list) => store.set({ rules: list }));
    const device = devices.find((d) => sameDevice(d, wanted)) ?? devices[0];
    if (device) await openDevice(device, sameDevice(device, wanted) || !wanted ? range : null);
  });
}

/** Selects a device; `range` null opens it with the range that suits it. */
export async function openDevice(device: DeviceKey, range: Range | null): Promise<void> {
  const selected = { host: device.host, gpu: device.gpu };
  const isSelected = () => sameDevice(store.get().selected, selected);
  forget();
  store.set({
    selected, opened: false, back: [], frame: null, stats: null, answers: null, alerts: [], sessions: [], windows: [], sources: [],
    now: null, held: null, failure: null, view: null,
  });
  await busy(async () => {
    // A range of fixed length needs no sessions, so its chart need not wait for them.
    const free = range !== null && range.kind !== "session" && range.kind !== "newest";
    const list = () => api.sessions(selected).catch(() => []).then((sessions) => isSelected() && store.set({ sessions }));
    if (!free) await list();
    if (!isSelected()) return;
    store.set({ range: range ?? openingRange(store.get().sessions) });
    // The chart's query goes out first.
    await Promise.all([loadRange(), free && list()]);
    if (isSelected()) store.set({ opened: true });
  });
}

/** Fetches everything that the visible range shows. What an older call brings later is dropped. */
export async function load(): Promise<void> {
  await busy(loadRange);
}

let works = 0;

async function busy(work: () => Promise<void>): Promise<void> {
  works++;
  try {
    await work();
  } finally {
    if (--works === 0) store.set({ loading: false });
  }
}

let framesAwaited = 0;

/** While a range's charts are on their way, rows are kept for them and not drawn onto the old ones. */
export function isFrameAwaited(): boolean {
  return framesAwaited > 0;
}

async function loadRange(): Promise<void> {
  const state = store.get();
  const device = currentDevice(state);
  if (!device) return;
  running.abort();
  running = new AbortController();
  const signal = running.signal;
  const view = viewOf(state.range, device, state.sessions, serverNow());
  store.set({ view, moving: false, loading: true });
  const opening = state.frame === null;
  const chart = loadFrame(device, view, signal);
  try {
    // The first chart of a page has server and browser to itself; words and lists are a moment behind it.
    if (opening) await chart.first;
    await Promise.all([
      chart.all, loadNow(device, signal), loadFacts(device, view, signal), loadLists(device, view, signal),
    ]);
    if (!signal.aborted) store.set({ failure: null });
  } catch (error) {
    if (!signal.aborted) store.set({ failure: describe(error) });
  }
}

function describe(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  return "gpulse did not answer";
}

interface FrameLoad {
  /** Temperatures are on the screen. */
  first: Promise<unknown>;
  all: Promise<void>;
}

function loadFrame(device: Device, view: View, signal: AbortSignal): FrameLoad {
  const points = Math.max(2, Math.round(store.get().plotWidth));
  const temperatures = device.metrics.filter((m) => m.group === "temperature").map((m) => m.name);
  const rest = device.metrics.filter((m) => m.group !== "temperature").map((m) => m.name);
  const ask = (names: string[]) => api.query(device, names, view, points, signal).then((r) => frameOf(r, points));
  const requests = [temperatures, rest].filter((names) => names.length > 0).map(ask);
  const first = requests[0]?.then(() => firstChart) ?? Promise.resolve();
  // One that fails while an earlier one is awaited must not count as unhandled: whoever awaits it later meets it.
  for (const request of [...requests, first]) request.catch(() => {});
  framesAwaited++;
  const all = showFrames(requests, device, signal).finally(() => framesAwaited--);
  all.catch(() => {});
  return { first, all };
}

async function showFrames(requests: Promise<Frame>[], device: Device, signal: AbortSignal): Promise<void> {
  const opening = store.get().frame === null;
  let arrived = 0;
  const knownLast = Date.parse(device.last);
  const moves = follows(store.get().range, device, store.get().sessions);
  let whole: Frame | null = null;
  for (const request of requests) {
    const frame = await request;
    if (signal.aborted) return;
    whole = whole ? mergeFrames(whole, frame) : frame;
    // Temperatures are drawn as soon as they are there; a range change waits for the rest, so that
    // all tracks jump together.
    const last = ++arrived === requests.length;
    if (last && moves) catchUp(whole, knownLast, gapLimit(device.usual_step));
    if (opening || last) store.set({ frame: whole });
    if (opening && !last) await firstChart;
  }
}

let factsAsked = 0;
let factsShown = 0;

/** Statistics and answers of a range, and what was read: rows are counted by the server, not by their pushes. */
export async function loadFacts(device: Device, view: View, signal: AbortSignal = running.signal): Promise<void> {
  const asked = ++factsAsked;
  const [stats, answers, sources] = await Promise.all([
    api.stats(device, view, signal), api.answers(device, view, signal), api.sources(device, signal),
  ]);
  // Several may be under way, and of those only a later one tells more.
  if (signal.aborted || asked < factsShown) return;
  factsShown = asked;
  store.set({ stats, answers, sources });
}

async function loadLists(device: Device, view: View, signal: AbortSignal): Promise<void> {
  const [alerts, windows] = await Promise.all([
    api.alerts(device, view, signal), api.windows(device, view, windowsShown, signal),
  ]);
  if (!signal.aborted) store.set({ alerts, windows });
}

/** The device's last row, which the tiles show whatever the range is. */
async function loadNow(device: Device, signal: AbortSignal): Promise<void> {
  const gauges = device.metrics.filter((m) => m.kind !== "bitmask").map((m) => m.name);
  if (!gauges.length) return;
  const last = Date.parse(device.last);
  const result = await api.query(device, gauges, { from: last - 1000, to: last }, 20, signal);
  if (signal.aborted) return;
  const now = store.get().now;
  if (now && now.time > last) return;
  const values = new Map(result.series.map((s) => [s.metric, s.mean?.[s.mean.length - 1] ?? null]));
  store.set({ now: { time: last, values } });
}

export async function reloadSessions(): Promise<void> {
  const selected = store.get().selected;
  if (!selected) return;
  const sessions = await api.sessions(selected);
  if (sameDevice(store.get().selected, selected)) store.set({ sessions });
}
