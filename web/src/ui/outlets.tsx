import type { Outlet } from "../api/types";
import { serverNow, store } from "../core/state";
import { formatNumber, plural } from "../format/number";
import { formatAge } from "../format/time";
import { AlertMark, WarnMark } from "./icons";
import { useApp, useClock } from "./hooks";

/** Where rows are sent to, beside being kept here; nothing when nowhere. */
export function Outlets() {
  const outlets = useApp((s) => s.outlets);
  if (outlets.length === 0) return null;
  return (
    <section class="rail_part" id="outlets">
      <h2>Sent to</h2>
      <ul class="outlets">
        {outlets.map((outlet) => (
          <li key={outlet.to}>
            <b>{outlet.to}</b>
            <State outlet={outlet} />
            <Facts outlet={outlet} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function State({ outlet: { state, reason } }: { outlet: Outlet }) {
  if (state === "away") return <span><WarnMark /> away: {reason}. Its rows wait.</span>;
  if (state === "refused") return <span><AlertMark /> gets no more rows until gpulse is started again: {reason}</span>;
  return null;
}

function Facts({ outlet: { rows, last_taken: last, set_aside: refused, dropped } }: { outlet: Outlet }) {
  useClock(1000);
  const lost = useApp((s) => s.connection.kind === "lost");
  const parts = [];
  if (rows > 0 && last !== null) {
    const age = lost ? "" : `, the last ${formatAge(serverNow() - Date.parse(last))} ago`;
    parts.push(`${plural(rows, "row")} sent${age}`);
  }
  if (refused > 0) parts.push(`${formatNumber(refused, 0)} refused`);
  if (dropped > 0) parts.push(`${formatNumber(dropped, 0)} dropped by InfluxDB`);
  return <span title="since gpulse was started">{parts.join(" · ") || "no rows sent yet"}</span>;
}

/** In the bar, while rows do not get to where they are sent: the way to why. */
export function OutletTrouble() {
  const worst = useApp((s) => {
    const states = s.outlets.map((o) => o.state);
    return (["refused", "away"] as const).find((state) => states.includes(state));
  });
  const wide = useApp((s) => s.layout === "wide");
  if (!worst) return null;
  const words = worst === "refused" ? "not sent on" : "sending waits";
  return (
    <button class={"outlet_trouble " + worst} title={`${words}: where rows are sent to`} aria-label={words} onClick={showOutlets}>
      {worst === "refused" ? <AlertMark /> : <WarnMark />}
      {wide && <span>{words}</span>}
    </button>
  );
}

function showOutlets(): void {
  if (store.get().layout === "phone") store.set({ lists: true });
  requestAnimationFrame(() => document.getElementById("outlets")?.scrollIntoView({ block: "center" }));
}
