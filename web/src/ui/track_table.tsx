import { soloSeries, toggleSeries } from "../core/actions";
import { formatNumber } from "../format/number";
import { formatDuration } from "../format/time";
import { useColumnName } from "./axis";
import { Key } from "./key";
import { ReadingCell, decimalsFor } from "./reading";
import type { ChartTrack, TableRow } from "./tracks";
import { ruleOf, stateOf } from "../model/rules";
import { useApp, useZone } from "./hooks";

/** Legend and statistics in one: a row a series. */
export function TrackTable({ track, headings }: { track: ChartTrack; headings: boolean }) {
  const first = useColumnName();
  return (
    <div class="table">
      <table class="statistics">
        <caption class="unseen">{track.topic.title}, statistics of the visible range</caption>
        <colgroup>
          <col />
          <col class="number" span={5} />
        </colgroup>
        <thead class={headings ? "" : "unseen"}>
          <tr>
            <th scope="col" class="name"><span class="unseen">series</span></th>
            <th scope="col">{first}</th>
            <th scope="col">min</th>
            <th scope="col">mean</th>
            <th scope="col">p95</th>
            <th scope="col">max</th>
          </tr>
        </thead>
        <tbody>
          {track.rows.map((row) => <Row key={row.one.metric.name} row={row} track={track} />)}
        </tbody>
      </table>
      <Above track={track} />
    </div>
  );
}

function Row({ row, track }: { row: TableRow; track: ChartTrack }) {
  const { one, stats, shown } = row;
  const words = wordsOf(row, track.topic.unit);
  return (
    <tr class={shown ? "" : "off"}>
      <th scope="row" class="name">
        <button class="series" aria-pressed={shown} title={`${row.label}: click hides or shows, double-click shows it alone`}
          onClick={() => toggleSeries(one)} onDblClick={() => soloSeries(track.topic, one)}>
          <Key track={track} name={one.metric.name} shown={shown} />
          <span class="ellipsis">{row.label}</span>
        </button>
      </th>
      <td class="now"><ReadingCell metric={one.metric} /></td>
      {words !== null ? <td class="words" colSpan={4}>{words}</td> : <Numbers row={row} />}
      {words === null && !stats && <td colSpan={4} />}
    </tr>
  );
}

function Numbers({ row: { one, stats } }: { row: TableRow }) {
  const rule = useApp((s) => ruleOf(s.rules, one.metric.name));
  if (!stats) return null;
  const text = (value: number | null | undefined) => (value == null ? "" : formatNumber(value, decimalsFor(one.metric)));
  const over = stats.max !== null && stateOf(stats.max.value, rule, one.metric.unit) === "over";
  return (
    <>
      <td>{text(stats.min?.value)}</td>
      <td>{text(stats.mean)}</td>
      <td>{text(stats.p95)}</td>
      <td class={over ? "over" : ""}>{text(stats.max?.value)}</td>
    </>
  );
}

/** What is said instead of five equal numbers. */
function wordsOf({ stats, one }: TableRow, trackUnit: string): string | null {
  if (!stats) return null;
  if (stats.rows === 0) return "not in this range";
  if (stats.count === 0) return "no reading in any row";
  if (!stats.constant || !stats.first || stats.count < 3) return null;
  // Constant for a whole range is common and no news, unless it is a zero that never moves.
  if (stats.first.value !== 0 && one.metric.unit === trackUnit) return null;
  return `${formatNumber(stats.first.value, decimalsFor(one.metric))} ${one.metric.unit} in every row`;
}

function Above({ track }: { track: ChartTrack }) {
  const zone = useZone();
  const view = useApp((s) => s.view);
  if (!track.above.length) return null;
  return (
    <p class="above">
      {track.above.map((one, i) => (
        <span key={one.rule.rule} class="above_pair">
          <span>{i === 0 ? "above rule: " : ""}{one.words}</span>
          {one.known && (
            <b class={one.seconds > 0 ? "over" : ""}>
              {formatDuration(one.seconds)}
              {one.seconds > 0 && one.first && view ? " at " + zone.clockNear(Date.parse(one.first), view.to) : ""}
            </b>
          )}
        </span>
      ))}
    </p>
  );
}
