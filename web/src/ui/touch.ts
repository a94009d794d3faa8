import { zoomTo } from "../core/actions";
import { clearCursor, setCursor } from "../core/cursor";
import { store } from "../core/state";

const holdMs = 300;
const slopPx = 10;

interface Finger {
  x: number;
  y: number;
}

const fingers = new Map<number, Finger>();
let timer: ReturnType<typeof setTimeout> | undefined;
let holding = false;
let pinch: { distance: number; at: number; from: number; to: number } | null = null;

function timeAt(target: HTMLElement, x: number): number | null {
  const view = store.get().view;
  const box = target.getBoundingClientRect();
  if (!view) return null;
  const share = Math.min(Math.max((x - box.left) / box.width, 0), 1);
  return view.from + share * (view.to - view.from);
}

function place(target: HTMLElement, x: number): void {
  const time = timeAt(target, x);
  if (time !== null) setCursor(time);
}

function start(event: TouchEvent): void {
  const target = event.currentTarget as HTMLElement;
  for (const t of event.changedTouches) fingers.set(t.identifier, { x: t.clientX, y: t.clientY });
  clearTimeout(timer);
  if (event.touches.length === 2) {
    const view = store.get().view;
    const [a, b] = [event.touches[0] as Touch, event.touches[1] as Touch];
    const at = timeAt(target, (a.clientX + b.clientX) / 2);
    pinch = view && at !== null ? { distance: Math.abs(a.clientX - b.clientX), at, ...view } : null;
    holding = false;
    return;
  }
  const x = event.touches[0]?.clientX ?? 0;
  timer = setTimeout(() => {
    holding = true;
    place(target, x);
  }, holdMs);
}

function move(event: TouchEvent): void {
  const touch = event.touches[0];
  if (!touch) return;
  if (pinch || holding) {
    // The page must not scroll under a finger that reads or zooms.
    event.preventDefault();
    if (holding) place(event.currentTarget as HTMLElement, touch.clientX);
    return;
  }
  const began = fingers.get(touch.identifier);
  if (began && Math.hypot(touch.clientX - began.x, touch.clientY - began.y) > slopPx) clearTimeout(timer);
}

function end(event: TouchEvent): void {
  clearTimeout(timer);
  if (pinch && event.touches.length < 2) {
    const ends = [...event.changedTouches, ...event.touches].map((t) => t.clientX);
    const distance = Math.max(20, Math.abs((ends[0] ?? 0) - (ends[1] ?? 0)));
    const factor = Math.min(20, Math.max(0.05, pinch.distance / distance));
    const { at, from, to } = pinch;
    pinch = null;
    if (Math.abs(factor - 1) > 0.05) zoomTo(at - (at - from) * factor, at + (to - at) * factor);
  } else if (!holding && event.touches.length === 0) {
    clearCursor();
  }
  for (const t of event.changedTouches) fingers.delete(t.identifier);
  if (event.touches.length === 0) holding = false;
}

/** Press and hold is the cursor, pinch is zoom; a swipe scrolls the page as ever. */
export const touchHandlers = { onTouchStart: start, onTouchMove: move, onTouchEnd: end, onTouchCancel: end };
