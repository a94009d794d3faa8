import type { TimeTick } from "../format/ticks";
import { currentDevice, cursorStore } from "../core/state";
import { follows } from "../model/range";
import { showAlert } from "../core/actions";
import type { Alert } from "../api/types";
import { bordersOf } from "./borders";
import { AlertMark, WarnMark } from "./icons";
import { useApp, useStore, useZone } from "./hooks";

/** Time, once for all tracks; with the headings of all tables, and the alerts' marks. */
export function Axis({ ticks }: { ticks: TimeTick[] }) {
  const view = useApp((s) => s.view);
  const width = useApp((s) => s.plotWidth);
  const layout = useApp((s) => s.layout);
  if (!view) return <div class="axis" />;
  const x = (time: number) => ((time - view.from) / (view.to - view.from)) * width;
  return (
    <div class="axis">
      <div class="axis_plot">
        {ticks.map(({ time, label }) => (
          <span key={time} class="axis_tick" style={{ left: x(time) + "px" }} aria-hidden="true"
            data-edge={x(time) < 20 ? "start" : x(time) > width - 20 ? "end" : undefined}>
            {label}
          </span>
        ))}
        <Flags x={x} width={width} />
        <AlertBars x={x} width={width} />
        <CursorLabel x={x} width={width} />
      </div>
      {layout === "wide" && <Headings />}
    </div>
  );
}

function Flags({ x, width }: { x: (time: number) => number; width: number }) {
  const sessions = useApp((s) => s.sessions);
  return <>{bordersOf(sessions, x, width).map((left) => <span key={left} class="axis_flag" style={{ left: left + "px" }} />)}</>;
}

/** What the first column of all tables shows. */
export function useColumnName(): "cursor" | "now" | "last" {
  const cursor = useStore(cursorStore, (c) => c.time !== null);
  const live = useApp((s) => {
    const device = currentDevice(s);
    return device?.state === "live" && follows(s.range, device, s.sessions);
  });
  return cursor ? "cursor" : live ? "now" : "last";
}

function Headings() {
  const name = useColumnName();
  return (
    <div class="axis_heads" aria-hidden="true">
      <b>{name}</b>
      <span>min</span>
      <span>mean</span>
      <span>p95</span>
      <span>max</span>
    </div>
  );
}

function CursorLabel({ x, width }: { x: (time: number) => number; width: number }) {
  const zone = useZone();
  const time = useStore(cursorStore, (c) => c.time);
  const view = useApp((s) => s.view);
  if (time === null || !view || time < view.from || time > view.to) return null;
  const text = zone.sameDay(view.from, view.to) ? zone.clock(time) : `${zone.dayMonth(time)} ${zone.clock(time)}`;
  const half = text.length > 8 ? 52 : 31;
  const left = Math.min(Math.max(x(time), half), width - half);
  return <output class="axis_cursor" style={{ left: left + "px" }}>{text}</output>;
}

const marksMost = 200;

/** A mark at an alert's instant, a bar along the axis for one that is long enough to be seen. */
function AlertBars({ x, width }: { x: (time: number) => number; width: number }) {
  const alerts = useApp((s) => s.alerts);
  const to = useApp((s) => s.view?.to ?? 0);
  const zone = useZone();
  let lastMark = Infinity;
  const parts = [];
  for (const alert of alerts.slice(0, marksMost)) {
    const left = Math.max(0, x(Date.parse(alert.began)));
    const right = Math.min(width, x(alert.ended ? Date.parse(alert.ended) : to));
    if (right < 0 || left > width) continue;
    const key = alert.source + alert.session + alert.rule + alert.began;
    if (right - left >= 6) {
      const style = { left: left + "px", width: right - left + "px" };
      parts.push(<span key={key + "bar"} class={"axis_bar " + look(alert)} style={style} aria-hidden="true" />);
    }
    // Newest first, so marks come from right to left; those that would cover each other are one.
    if (alert.severity !== "info" && x(Date.parse(alert.began)) >= -2 && lastMark - left > 5) {
      lastMark = left;
      parts.push(
        <button key={key} class="axis_mark" style={{ left: left + "px" }} onClick={() => showAlert(alert)}
          aria-label={`Alert ${alert.rule} at ${zone.clock(Date.parse(alert.began))}`} title={alert.rule}>
          {alert.state === "firing" ? <AlertMark /> : <WarnMark />}
        </button>,
      );
    }
  }
  return <>{parts}</>;
}

function look(alert: Alert): string {
  if (alert.severity === "info") return "info";
  return alert.state === "firing" ? "alert" : "warn";
}
