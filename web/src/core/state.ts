import type { DeviceKey } from "../api/client";
import type { Alert, Answers, Device, Outlet, Rule, Session, Source, Stats, Window } from "../api/types";
import type { Range, View } from "../model/range";
import type { Frame, Value } from "../model/series";
import { Store } from "./store";

export type Theme = "dark" | "light";
/** wide: tables beside the plots; narrow: tables behind a tap; phone: as narrow, three tiles across. */
export type Layout = "wide" | "narrow" | "phone";
export type Dialog = "help" | "save" | "device" | "range" | null;

export type Connection = { kind: "opening" } | { kind: "open" } | { kind: "lost"; retryAt: number };

export interface Now {
  time: number;
  values: Map<string, Value>;
}

export interface State {
  devices: Device[] | null;
  rules: Rule[];
  connection: Connection;
  selected: DeviceKey | null;
  range: Range;
  /** Ranges that Backspace and double-click go back to. */
  back: Range[];
  view: View | null;
  frame: Frame | null;
  now: Now | null;
  stats: Stats | null;
  answers: Answers | null;
  alerts: Alert[];
  sessions: Session[];
  windows: Window[];
  sources: Source[];
  /** Where rows are sent to, too. */
  outlets: Outlet[];
  /** Series that the viewer showed (true) or hid (false) against their default. */
  toggled: ReadonlyMap<string, boolean>;
  /** Rows that came while the view is held; null when it is not. */
  held: number | null;
  /** The page's first chart is on the screen; tables are not built before. */
  drawn: boolean;
  /** Everything of the selected device has been there once: "none" is then a fact. */
  opened: boolean;
  /** A drag or a pinch goes on: the range is another with every frame, too often for the address bar. */
  moving: boolean;
  /** What the page shows is on its way, and what stands there may be of another range. */
  loading: boolean;
  /** Why the data of the range could not be had. */
  failure: string | null;
  theme: Theme;
  layout: Layout;
  plotWidth: number;
  dialog: Dialog;
  /** On the phone: the lists instead of the score. */
  lists: boolean;
}

export const store = new Store<State>({
  devices: null,
  rules: [],
  connection: { kind: "opening" },
  selected: null,
  range: { kind: "newest" },
  back: [],
  view: null,
  frame: null,
  now: null,
  stats: null,
  answers: null,
  alerts: [],
  sessions: [],
  windows: [],
  sources: [],
  outlets: [],
  toggled: new Map(),
  held: null,
  drawn: false,
  opened: false,
  moving: false,
  loading: true,
  failure: null,
  theme: "dark",
  layout: "wide",
  plotWidth: 768,
  dialog: null,
  lists: false,
});

/** Apart from the state, since it changes with every move of the pointer and few parts read it. */
export interface Cursor {
  time: number | null;
  /** The row under the cursor, once it has been fetched; until then the column's means stand in. */
  exact: { time: number; values: Map<string, Value> } | null;
}

export const cursorStore = new Store<Cursor>({ time: null, exact: null });

export function sameDevice(a: DeviceKey | null, b: DeviceKey | null): boolean {
  return a !== null && b !== null && a.host === b.host && a.gpu === b.gpu;
}

export function currentDevice(state: State): Device | null {
  return state.devices?.find((d) => sameDevice(d, state.selected)) ?? null;
}

// Ages are told by the server's clock: the browser may run on another machine.
let serverOffset = 0;

/** True when that moves the page's clock enough for a range that counts back from now to be wrong. */
export function setServerNow(now: number): boolean {
  const before = serverOffset;
  serverOffset = now - Date.now();
  return Math.abs(serverOffset - before) > 2000;
}

export function serverNow(): number {
  return Date.now() + serverOffset;
}
