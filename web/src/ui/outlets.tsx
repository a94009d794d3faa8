import type { Outlet } from "../api/types";
import { serverNow } from "../core/state";
import { formatNumber, plural } from "../format/number";
import { formatAge } from "../format/time";
import { AlertMark, WarnMark } from "./icons";
import { useApp } from "./hooks";

/** Where rows are sent to, beside being kept here; nothing when nowhere. */
export function Outlets() {
  const outlets = useApp((s) => s.outlets);
  if (outlets.length === 0) return null;
  return (
    <section class="rail_part">
      <h2>Sent to</h2>
      <ul class="outlets">
        {outlets.map((outlet) => (
          <li key={outlet.to}>
            <b>{outlet.to}</b>
            <State outlet={outlet} />
            <span title="since gpulse was started">{factsOf(outlet)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function State({ outlet: { state, reason } }: { outlet: Outlet }) {
  if (state === "connected" || state === "idle") return null;
  return state === "away" ? (
    <span><WarnMark /> away: {reason}. Its rows wait in the log.</span>
  ) : (
    <span><AlertMark /> gets no more rows until gpulse is started again: {reason}</span>
  );
}

function factsOf({ rows, last_delivery: last, set_aside: refused }: Outlet): string {
  const parts = [rows === 0 || last === null ? "no rows sent yet"
    : `${plural(rows, "row")} sent, the last ${formatAge(serverNow() - Date.parse(last))} ago`];
  if (refused > 0) parts.push(`${formatNumber(refused, 0)} refused`);
  return parts.join(" · ");
}
