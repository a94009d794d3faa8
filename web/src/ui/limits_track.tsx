import { useLayoutEffect, useRef } from "preact/hooks";
import { drawLanes } from "../chart/lanes";
import { paletteOf } from "../chart/palette";
import { cursorStore, store } from "../core/state";
import { formatShare } from "../format/number";
import type { TimeTick } from "../format/ticks";
import { formatDuration } from "../format/time";
import { isLimit, laneLabel, type LaneView } from "../model/limits";
import type { LaneName } from "../api/types";
import type { LimitsTrack } from "./tracks";
import { useColumnName } from "./axis";
import { useApp, useStore } from "./hooks";

interface Props {
  track: LimitsTrack;
  ticks: TimeTick[];
  open: boolean;
  onToggle(): void;
}

/** PerfCap as lanes: which limit held when, and for what share of the time. */
export function LimitsTrackView({ track, ticks, open, onToggle }: Props) {
  const wide = useApp((s) => s.layout === "wide");
  const drawn = useApp((s) => s.drawn);
  return (
    <figure class="track" data-topic="limits" aria-label={nameOf(track)} style={{ "--track-height": track.height + "px" }}>
      {wide ? (
        <figcaption class="gutter">
          <b>Limits</b>
          <span>PerfCap</span>
        </figcaption>
      ) : (
        <figcaption class="title_line" style={{ height: track.plotTop + "px" }}>
          <button class="title_button" aria-expanded={open} onClick={onToggle} title="Statistics">
            <b>Limits</b> <span>PerfCap</span>
          </button>
          <span class={"legend" + (track.legendLines ? " own_line" : "")}>
            {track.lanes.map((lane) => (
              <span key={lane.lane} class="legend_item">
                <LaneKey lane={lane.lane} />
                <span class="ellipsis">{laneLabel(lane.lane)}</span> <b>{formatShare(lane.share)}</b>
              </span>
            ))}
          </span>
        </figcaption>
      )}
      <Lanes track={track} ticks={ticks} />
      {drawn && (wide || open) && <LanesTable track={track} />}
    </figure>
  );
}

function nameOf({ lanes }: LimitsTrack): string {
  const parts = lanes.map((lane) => `${laneLabel(lane.lane)} ${formatDuration(lane.seconds)}, ${formatShare(lane.share)}`);
  return "Limits by PerfCap" + (parts.length ? ": " + parts.join("; ") : "");
}

function Lanes({ track, ticks }: { track: LimitsTrack; ticks: TimeTick[] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const view = useApp((s) => s.view);
  const width = useApp((s) => s.plotWidth);
  const theme = useApp((s) => s.theme);
  useLayoutEffect(() => {
    if (!canvas.current || !view || document.hidden) return;
    const { from, to } = view;
    drawLanes(canvas.current, { width, height: track.plotHeight, from, to, ticks, lanes: track.lanes, palette: paletteOf(theme) });
  }, [track, ticks, view, width, theme]);
  return (
    <div class="plot" style={{ height: track.plotHeight + "px" }}>
      <canvas ref={canvas} aria-hidden="true" />
    </div>
  );
}

function LaneKey({ lane }: { lane: LaneName }) {
  return <i class={`key layer lane_${lane}`} aria-hidden="true" />;
}

function LanesTable({ track }: { track: LimitsTrack }) {
  const first = useColumnName();
  return (
    <div class="table">
      <table class="statistics lanes">
        <caption class="unseen">Limits, time and share of the visible range</caption>
        <colgroup>
          <col />
          <col class="number" />
          <col class="words" />
        </colgroup>
        <thead class="unseen">
          <tr>
            <th scope="col">state</th>
            <th scope="col">{first}</th>
            <th scope="col">time and share</th>
          </tr>
        </thead>
        <tbody>
          {track.lanes.map((lane) => (
            <tr key={lane.lane}>
              <th scope="row" class="name">
                <span class="series">
                  <LaneKey lane={lane.lane} />
                  <span class="ellipsis">{laneLabel(lane.lane)}</span>
                </span>
              </th>
              <td class="now"><LaneNow lane={lane} /></td>
              <td class="words strong">{formatDuration(lane.seconds)} · {formatShare(lane.share)}</td>
            </tr>
          ))}
          {track.never.length > 0 && (
            <tr class="off">
              <th scope="row" class="name" colSpan={2}><span class="series never">{neverWords(track.never)}</span></th>
              <td class="words">0 s</td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

/** Both voltages are one word when neither occurs: the line is for what is not there. */
function neverWords(never: LaneName[]): string {
  const both = never.includes("reliability_voltage") && never.includes("operating_voltage");
  const names = both ? never.filter((lane) => lane !== "operating_voltage") : never;
  return names
    .map((lane) => (both && lane === "reliability_voltage" ? "voltage" : lane === "sli" ? "SLI" : laneLabel(lane).toLowerCase()))
    .join(", ");
}

function LaneNow({ lane }: { lane: LaneView }) {
  const time = useStore(cursorStore, (c) => c.time);
  const view = useApp((s) => s.view);
  const name = useColumnName();
  const end = store.get().frame?.lastRow ?? view?.to ?? 0;
  const at = time ?? end;
  const slack = time === null ? 5000 : 0;
  const holds = lane.spans.some(([from, to]) => at >= from - 1 && at <= to + slack);
  const word = name === "cursor" ? "then" : name;
  return holds ? <span class={isLimit(lane.lane) ? "limit" : ""}>{word}</span> : <></>;
}
