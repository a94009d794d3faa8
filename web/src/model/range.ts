import type { Device, Session } from "../api/types";
import { day, hour, minute } from "../format/time";

/** What the visible range is, said so that it can move along with a live log. */
export type Range =
  | { kind: "last"; ms: number }
  | { kind: "all" }
  | { kind: "session"; source: string; session: number }
  /** The newest session, whichever that is. */
  | { kind: "newest" }
  | { kind: "fixed"; from: number; to: number };

export interface View {
  from: number;
  to: number;
}

export const presets: { key: string; label: string; range: Range }[] = [
  { key: "1", label: "5 min", range: { kind: "last", ms: 5 * minute } },
  { key: "2", label: "15 min", range: { kind: "last", ms: 15 * minute } },
  { key: "3", label: "1 h", range: { kind: "last", ms: hour } },
  { key: "4", label: "6 h", range: { kind: "last", ms: 6 * hour } },
  { key: "5", label: "24 h", range: { kind: "last", ms: 24 * hour } },
  { key: "6", label: "7 d", range: { kind: "last", ms: 7 * day } },
  { key: "0", label: "all", range: { kind: "all" } },
  { key: "7", label: "session", range: { kind: "newest" } },
];

const narrowest = 10 * 1000;

/** Does the range move on as rows arrive? */
export function follows(range: Range, device: Device, sessions: readonly Session[]): boolean {
  if (device.state === "ended" || range.kind === "fixed") return false;
  return range.kind !== "session" || isNewest(range, sessions);
}

function isNewest(range: { source: string; session: number }, sessions: readonly Session[]): boolean {
  const newest = sessions[0];
  return newest?.source === range.source && newest.session === range.session;
}

/**
 * The instants of a range. A live or stale log counts back from `now` (its time runs on, the line
 * does not), an ended one from its last row, so that no old log opens to an empty page.
 */
export function viewOf(range: Range, device: Device, sessions: readonly Session[], now: number): View {
  const first = instantOr(device.first, now);
  const last = instantOr(device.last, now);
  const end = device.state === "ended" ? last : Math.max(last, now);
  switch (range.kind) {
    case "fixed":
      return widen(range.from, range.to);
    case "last":
      return { from: end - range.ms, to: end };
    case "all":
      return widen(first, end);
    case "newest":
    case "session": {
      const session = range.kind === "newest" ? sessions[0] : findSession(range, sessions);
      if (!session) return widen(first, end);
      const open = session === sessions[0] && device.state !== "ended";
      return widen(Date.parse(session.first), open ? end : Date.parse(session.last));
    }
  }
}

/** A device without a row yet has neither a first nor a last. */
function instantOr(text: string | null, otherwise: number): number {
  const instant = Date.parse(text ?? "");
  return Number.isNaN(instant) ? otherwise : instant;
}

export function findSession(range: { source: string; session: number }, sessions: readonly Session[]): Session | undefined {
  return sessions.find((s) => s.session === range.session && s.source === range.source);
}

/** A range of one row, or of none, still needs a width to be drawn. */
function widen(from: number, to: number): View {
  if (to - from >= narrowest) return { from, to };
  const centre = (from + to) / 2;
  return { from: centre - narrowest / 2, to: centre + narrowest / 2 };
}

/** Zooms by `factor` (below 1: in) so that `at` stays where it is. */
export function zoomed(view: View, at: number, factor: number): View {
  const centre = Math.min(Math.max(at, view.from), view.to);
  return widen(centre - (centre - view.from) * factor, centre + (view.to - centre) * factor);
}

/** Puts the instants `times` at the shares `at` of the width, as two fingers do; within a twentieth and twenty times of `view`. */
export function pinched(view: View, times: [number, number], at: [number, number]): View {
  const apart = Math.abs(times[1] - times[0]) / Math.max(0.001, Math.abs(at[1] - at[0]));
  const length = view.to - view.from;
  const width = Math.max(narrowest, Math.min(length * 20, Math.max(length / 20, apart)));
  const middle = (times[0] + times[1]) / 2;
  const from = middle - ((at[0] + at[1]) / 2) * width;
  return { from, to: from + width };
}

export function panned(view: View, by: number): View {
  return { from: view.from + by, to: view.to + by };
}

export function sameRange(a: Range, b: Range): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** With what a device is opened: its newest session while that is a sitting, else the last hour. */
export function openingRange(sessions: readonly Session[]): Range {
  const newest = sessions[0];
  if (!newest) return { kind: "all" };
  const length = Date.parse(newest.last) - Date.parse(newest.first);
  return length <= 12 * hour ? { kind: "newest" } : { kind: "last", ms: hour };
}
