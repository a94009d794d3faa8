import type { Alert, Session, Source } from "../api/types";
import { showAlert, showSession } from "../core/actions";
import type { State } from "../core/state";
import { formatBytes, formatNumber, formatShort, plural } from "../format/number";
import { formatDuration } from "../format/time";
import { fullLabelOf } from "../model/topics";
import { AlertMark, InfoMark, WarnMark } from "./icons";
import { Outlets } from "./outlets";
import { VirtualList } from "./virtual_list";
import { WindowsTable } from "./windows_table";
import { useApp, useZone } from "./hooks";

/** Beside the score: what happened, what was logged, and the log itself. */
export function Rail() {
  // "None in range" would be a claim before anything is known.
  const known = useApp((s) => s.opened);
  if (!known) return <aside class="rail" aria-label="Lists" />;
  return (
    <aside class="rail" aria-label="Lists">
      <Alerts />
      <Sessions />
      <WindowsTable />
      <LogFacts />
      <Outlets />
    </aside>
  );
}

function Alerts() {
  const alerts = useApp((s) => s.alerts);
  const firing = alerts.filter((a) => a.state === "firing").length;
  const words = alerts.length ? `${formatNumber(alerts.length, 0)} in range, ${firing ? firing : "none"} firing` : "none in range";
  return (
    <section class="rail_part">
      <h2>Alerts <span>{words}</span></h2>
      <VirtualList items={alerts} itemHeight={40} heightMost={200} label="Alerts" keyOf={(a) => a.source + a.session + a.rule + a.began}
        render={(alert) => <AlertItem alert={alert} />} />
    </section>
  );
}

function AlertItem({ alert }: { alert: Alert }) {
  const zone = useZone();
  const to = useApp((s) => s.view?.to ?? 0);
  const began = zone.clockNear(Date.parse(alert.began), to);
  const end = alert.state === "firing" ? "firing" : alert.end_reason === "session ended" ? "session ended" : "ended";
  return (
    <button class="rail_item" onClick={() => showAlert(alert)}>
      {alert.severity === "info" ? <InfoMark /> : alert.state === "firing" ? <AlertMark /> : <WarnMark />}
      <span class="rail_text">
        <b>{fullLabelOf(alert.metric)} {alert.rule.includes("<") ? "<" : ">"} {formatShort(alert.limit)} {alert.unit}</b>
        <span>{began} · {formatDuration(alert.seconds)} · peak {formatShort(alert.peak)} {alert.unit} · {end}</span>
      </span>
    </button>
  );
}

function isInView(session: Session, view: State["view"]): boolean {
  return view !== null && Date.parse(session.first) <= view.to && Date.parse(session.last) >= view.from;
}

function Sessions() {
  const sessions = useApp((s) => s.sessions);
  const view = useApp((s) => s.view);
  const zone = useZone();
  return (
    <section class="rail_part">
      <h2>Sessions <span>{formatNumber(sessions.length, 0)}</span></h2>
      <VirtualList items={sessions} itemHeight={56} heightMost={224} label="Sessions" keyOf={(s) => s.source + ":" + s.session}
        render={(session) => (
          <button class={"rail_item" + (isInView(session, view) ? " in_view" : "")} onClick={() => showSession(session)}
            aria-current={isInView(session, view) ? "true" : undefined}>
            <span class="rail_arrow" aria-hidden="true">▸</span>
            <span class="rail_text">
              <b>{zone.date(Date.parse(session.first))} {zone.clock(Date.parse(session.first))} <i>session {session.session}</i></b>
              <span>{formatDuration(session.seconds)} · {plural(session.rows, "row")}</span>
              <span>{sessionFacts(session)}</span>
            </span>
          </button>
        )} />
    </section>
  );
}

function sessionFacts({ gpu_temperature_max: hottest, energy_kwh: energy }: Session): string {
  const parts = [];
  if (hottest !== null) parts.push(`GPU max ${formatShort(hottest)} °C`);
  if (energy !== null) parts.push(energy < 0.1 ? `${formatNumber(energy * 1000, 1)} Wh` : `${formatNumber(energy, 3)} kWh`);
  return parts.join(" · ");
}

function LogFacts() {
  const sources = useApp((s) => s.sources);
  const newest = sources.reduce<Source | null>((a, b) => (a && a.last >= b.last ? a : b), null);
  if (!newest) return null;
  return (
    <section class="rail_part">
      <h2>Log {sources.length > 1 && <span>newest of {sources.length}</span>}</h2>
      <dl class="facts">
        <Fact name="file" value={newest.file.replace(/^.*[\\/]/, "")} title={newest.file} />
        <Fact name="size" value={formatBytes(newest.bytes)} />
        <Fact name="rows read" value={formatNumber(newest.rows, 0)} />
        <Fact name="set aside" value={formatNumber(newest.set_aside, 0)} />
        <Absent source={newest} />
        <LongestStep source={newest} />
      </dl>
      {newest.set_aside_detail.length > 0 && <SetAside source={newest} />}
    </section>
  );
}

function Fact({ name, value, title = value }: { name: string; value: string; title?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="ellipsis" title={title}>{value}</dd>
    </div>
  );
}

function Absent({ source: { absent } }: { source: Source }) {
  const zone = useZone();
  let words = formatNumber(absent.count, 0);
  if (absent.count && absent.first && absent.last) {
    const first = zone.clock(Date.parse(absent.first));
    words += absent.first === absent.last ? `, all at ${first}` : `, first at ${first}`;
  }
  return <Fact name="absent readings" value={words} />;
}

function LongestStep({ source: { longest_step: step } }: { source: Source }) {
  const zone = useZone();
  if (!step) return null;
  return <Fact name="longest step" value={`${formatDuration(step.seconds)} at ${zone.clock(Date.parse(step.at))}`} />;
}

function SetAside({ source }: { source: Source }) {
  return (
    <details class="set_aside">
      <summary>what was set aside</summary>
      <ul>
        {source.set_aside_detail.map((one) => (
          <li key={one.offset}>byte {formatNumber(one.offset, 0)}: {one.reason}, {formatBytes(one.bytes)}</li>
        ))}
      </ul>
    </details>
  );
}
