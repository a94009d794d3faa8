import { moveTo } from "../core/actions";
import { clearCursor, setCursor } from "../core/cursor";
import { load } from "../core/loader";
import { store } from "../core/state";
import { pinched, type View } from "../model/range";

const holdMs = 300;
const slopPx = 10;
/** Fingers nearer to each other than this tell no scale; beside each other is what counts. */
const apartLeastPx = 40;

interface Pinch {
  ids: [number, number];
  view: View;
  /** The instants under both fingers: there they stay. */
  times: [number, number];
  moved: boolean;
}

let press: { id: number; x: number; y: number } | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
let holding = false;
let pinch: Pinch | null = null;

function shareAt(target: HTMLElement, x: number): number {
  const box = target.getBoundingClientRect();
  return Math.min(Math.max((x - box.left) / box.width, 0), 1);
}

function timeAt(view: View, share: number): number {
  return view.from + share * (view.to - view.from);
}

function place(target: HTMLElement, x: number): void {
  const { view } = store.get();
  if (view) setCursor(timeAt(view, shareAt(target, x)));
}

/** The shares of the width at which two fingers are, at least so far apart that they tell a scale. */
function sharesOf(target: HTMLElement, a: Touch, b: Touch): [number, number] {
  const least = apartLeastPx / target.clientWidth;
  const [left, right] = [a, b].map((t) => shareAt(target, t.clientX)) as [number, number];
  if (Math.abs(right - left) >= least) return [left, right];
  const middle = (left + right) / 2;
  return [middle - least / 2, middle + least / 2];
}

function start(event: TouchEvent): void {
  const target = event.currentTarget as HTMLElement;
  const [a, b] = event.touches;
  clearTimeout(timer);
  press = null;
  if (a && b) {
    const { view } = store.get();
    const shares = sharesOf(target, a, b);
    if (view && !pinch) pinch = { ids: [a.identifier, b.identifier], view, times: [timeAt(view, shares[0]), timeAt(view, shares[1])], moved: false };
    holding = false;
    return;
  }
  if (!a) return;
  press = { id: a.identifier, x: a.clientX, y: a.clientY };
  const x = a.clientX;
  timer = setTimeout(() => {
    holding = true;
    place(target, x);
  }, holdMs);
}

function move(event: TouchEvent): void {
  const target = event.currentTarget as HTMLElement;
  const touch = event.touches[0];
  if (!touch) return;
  if (pinch || holding) {
    // The page must not scroll under a finger that reads or zooms.
    if (event.cancelable) event.preventDefault();
    if (pinch) spread(target, event.touches, pinch);
    else place(target, touch.clientX);
  } else if (press?.id === touch.identifier && Math.hypot(touch.clientX - press.x, touch.clientY - press.y) > slopPx) {
    // A swipe: it scrolls, and what the cursor reads stays to be read.
    clearTimeout(timer);
    press = null;
  }
}

function spread(target: HTMLElement, touches: TouchList, pinch: Pinch): void {
  const [a, b] = pinch.ids.map((id) => [...touches].find((t) => t.identifier === id));
  if (!a || !b) return;
  clearCursor();
  moveTo(pinched(pinch.view, pinch.times, sharesOf(target, a, b)), !pinch.moved);
  pinch.moved = true;
}

function end(event: TouchEvent): void {
  clearTimeout(timer);
  if (pinch && event.touches.length < 2) {
    if (pinch.moved) void load();
    pinch = null;
    // The finger that stays down reads nothing.
    press = null;
  } else if (!holding && press && event.type === "touchend") {
    clearCursor();
  }
  if (event.touches.length === 0) holding = false;
}

/** Press and hold is the cursor, pinch is zoom; a swipe scrolls the page as ever. */
export const touchHandlers = { onTouchStart: start, onTouchMove: move, onTouchEnd: end, onTouchCancel: end };
