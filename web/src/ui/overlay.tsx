import { useRef, useState } from "preact/hooks";
import { goBack, panBy, zoomTo } from "../core/actions";
import { clearCursor, setCursor } from "../core/cursor";
import { load } from "../core/loader";
import { currentDevice, cursorStore, store } from "../core/state";
import { yOf } from "../chart/scale";
import { readingOf } from "./reading";
import type { Track } from "./tracks";
import { bordersOf } from "./borders";
import { touchHandlers } from "./touch";
import { useApp, useStore, useZone } from "./hooks";

interface Props {
  tracks: Track[];
  height: number;
  /** Tracks whose tables stand open move those below them: the marks are then drawn per track only. */
  open: ReadonlySet<string>;
}

/** A drag shorter than this is a click. */
const dragLeast = 5;

/** What lies over all plots: session borders, the cursor, the piece being dragged. It takes the pointer. */
export function Overlay({ tracks, height, open }: Props) {
  const root = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const view = useApp((s) => s.view);
  const width = useApp((s) => s.plotWidth);
  const layout = useApp((s) => s.layout);
  if (!view) return null;
  const timeAt = (event: PointerEvent | MouseEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return view.from + (Math.min(Math.max(event.clientX - box.left, 0), width) / width) * (view.to - view.from);
  };
  const x = (time: number) => ((time - view.from) / (view.to - view.from)) * width;
  const unfolded = layout !== "wide" && open.size > 0;
  return (
    <div class="overlay" ref={root} style={unfolded ? {} : { height: height + "px" }}
      onPointerDown={(event) => { if (event.pointerType === "mouse") startDrag(event, timeAt(event), width, setDrag); }}
      onPointerMove={(event) => { if (event.pointerType === "mouse" && !event.buttons) setCursor(timeAt(event)); }}
      onPointerLeave={(event) => { if (event.pointerType === "mouse" && !event.buttons) clearCursor(); }}
      onDblClick={goBack}
      {...touchHandlers}
    >
      <SessionBorders x={x} width={width} />
      <Silence x={x} width={width} />
      {drag && <div class="selection" style={{ left: Math.min(x(drag.from), x(drag.to)) + "px", width: Math.abs(x(drag.to) - x(drag.from)) + "px" }} />}
      <CursorLine x={x} tracks={unfolded ? [] : tracks} />
    </div>
  );
}

/** Follows one press of the mouse: a drag zooms, with Shift it pans. */
function startDrag(
  down: PointerEvent, start: number, width: number, show: (drag: { from: number; to: number } | null) => void,
): void {
  const target = down.currentTarget as HTMLElement;
  const view = store.get().view;
  if (down.button !== 0 || !view) return;
  target.setPointerCapture(down.pointerId);
  down.preventDefault();
  const perPixel = (view.to - view.from) / width;
  const left = target.getBoundingClientRect().left;
  const at = (event: PointerEvent) => view.from + Math.min(Math.max(event.clientX - left, 0), width) * perPixel;
  let moved = false;
  let lastX = down.clientX;
  const move = (event: PointerEvent) => {
    if (!moved && Math.abs(event.clientX - down.clientX) < dragLeast) return;
    if (down.shiftKey) {
      clearCursor();
      panBy((lastX - event.clientX) * perPixel, !moved);
      lastX = event.clientX;
    } else {
      setCursor(at(event));
      show({ from: start, to: at(event) });
    }
    moved = true;
  };
  const end = (event: PointerEvent) => {
    target.removeEventListener("pointermove", move);
    target.removeEventListener("pointerup", end);
    target.removeEventListener("pointercancel", end);
    show(null);
    if (!moved) return;
    if (down.shiftKey) void load();
    else if (event.type !== "pointercancel") zoomTo(Math.min(start, at(event)), Math.max(start, at(event)));
  };
  target.addEventListener("pointermove", move);
  target.addEventListener("pointerup", end);
  target.addEventListener("pointercancel", end);
}

function SessionBorders({ x, width }: { x: (time: number) => number; width: number }) {
  const sessions = useApp((s) => s.sessions);
  return (
    <>
      {bordersOf(sessions, x, width).map((left) => <div key={left} class="session_border" style={{ left: left + "px" }} />)}
    </>
  );
}

/** Where the rows stopped: amber while the log is stale, dotted red while nobody answers. */
function Silence({ x, width }: { x: (time: number) => number; width: number }) {
  const zone = useZone();
  const device = useApp(currentDevice);
  const lost = useApp((s) => s.connection.kind === "lost");
  if (!device || device.state === "ended" || (!lost && device.state !== "stale")) return null;
  const last = Date.parse(device.last);
  const left = x(last);
  if (left < 0 || left > width + 2) return null;
  return (
    <div class={"silence " + (lost ? "lost" : "stale")} style={{ left: Math.min(left, width - 1) + "px" }}>
      {!lost && <span data-side={left > width - 150 ? "left" : "right"}>no row since {zone.clock(last)}</span>}
    </div>
  );
}

function CursorLine({ x, tracks }: { x: (time: number) => number; tracks: Track[] }) {
  const cursor = useStore(cursorStore, (c) => c);
  const view = useApp((s) => s.view);
  useApp((s) => s.frame);
  if (cursor.time === null || !view || cursor.time < view.from || cursor.time > view.to) return null;
  const left = x(cursor.time);
  const dots = [];
  for (const track of tracks) {
    if (track.kind !== "chart") continue;
    for (const { metric, stacked } of track.shown) {
      const value = readingOf(metric.name, cursor);
      if (value == null || stacked) continue;
      const step = (track.styles.get(metric.name)?.step ?? 0) + 1;
      const top = track.top + track.plotTop + yOf(value, track.scale, track.plotHeight);
      dots.push(<i key={metric.name} class={`cursor_dot family_${track.topic.family} step_${step}`} style={{ top: top + "px" }} />);
    }
  }
  return <div class="cursor" style={{ left: left + "px" }}>{dots}</div>;
}
