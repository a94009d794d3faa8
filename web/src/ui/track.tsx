import { useLayoutEffect, useRef } from "preact/hooks";
import { paletteOf } from "../chart/palette";
import { yOf } from "../chart/scale";
import { TrackPlot } from "../chart/track_plot";
import { formatNumber } from "../format/number";
import type { TimeTick } from "../format/ticks";
import type { Zone } from "../format/time";
import type { View } from "../model/range";
import { Key } from "./key";
import { ReadingCell } from "./reading";
import { TrackTable } from "./track_table";
import type { ChartTrack } from "./tracks";
import { useApp, useZone } from "./hooks";

interface Props {
  track: ChartTrack;
  ticks: TimeTick[];
  /** Narrow layouts: is the table unfolded? */
  open: boolean;
  onToggle(): void;
}

export function ChartTrackView({ track, ticks, open, onToggle }: Props) {
  const { topic, scale } = track;
  const wide = useApp((s) => s.layout === "wide");
  const view = useApp((s) => s.view);
  const drawn = useApp((s) => s.drawn);
  const zone = useZone();
  const unit = unitOf(track);
  return (
    <figure class="track" data-topic={topic.id} aria-label={view ? nameOf(track, view, zone) : topic.title}
      style={{ "--track-height": track.height + "px" }}>
      {wide ? (
        <figcaption class="gutter">
          <b>{topic.title}</b>
          <span>{unit}</span>
        </figcaption>
      ) : (
        <figcaption class="title_line" style={{ height: track.plotTop + "px" }}>
          <button class="title_button" aria-expanded={open} onClick={onToggle} title="Statistics">
            <b>{topic.title}</b> <span>{unit}</span>
          </button>
          <span class={"legend" + (track.legendLines ? " own_line" : "")}>
            {track.shown.map((one) => (
              <span key={one.metric.name} class="legend_item">
                <Key track={track} name={one.metric.name} shown />
                <span class="ellipsis">{one.label}</span> <b><ReadingCell metric={one.metric} /></b>
              </span>
            ))}
          </span>
        </figcaption>
      )}
      <div class="value_ticks" style={{ top: track.plotTop + "px" }} aria-hidden="true">
        {tickLabels(track, wide).map(({ tick, y, below }) => (
          <span key={tick} class={below ? "high" : ""} style={{ top: y + "px" }}>
            {formatNumber(tick, scale.decimals)}
          </span>
        ))}
      </div>
      <Plot track={track} ticks={ticks} />
      {drawn && (wide || open) && <TrackTable track={track} headings={!wide} />}
    </figure>
  );
}

/**
 * Beside a wide plot all ticks are labelled, at their lines. Inside a narrow one a label stands on its
 * line, the highest below it since the legend is above, and what would cover another is left out.
 */
function tickLabels({ scale, plotHeight }: ChartTrack, wide: boolean): { tick: number; y: number; below: boolean }[] {
  let taken = -Infinity;
  return [...scale.ticks].reverse().flatMap((tick) => {
    const y = yOf(tick, scale, plotHeight);
    const below = !wide && y < 16;
    const top = below ? y : y - 16;
    if (!wide && top < taken) return [];
    taken = top + 14;
    return [{ tick, y, below }];
  });
}

function unitOf({ topic, shown }: ChartTrack): string {
  const units = [...new Set(shown.map((m) => m.metric.unit))];
  return units.length ? units.join(" · ") : topic.unit;
}

/** One sentence: topic, range, and of each series least, most and last. */
function nameOf(track: ChartTrack, view: View, zone: Zone): string {
  const span = `${zone.clockNear(view.from, view.to)} to ${zone.clock(view.to)}`;
  const parts = track.rows
    .filter((row) => row.shown && row.stats?.min && row.stats.max && row.stats.last)
    .map(({ label, one, stats }) => {
      const text = (v: number | undefined) => (v === undefined ? "" : formatNumber(v, one.metric.decimals));
      return `${label} from ${text(stats?.min?.value)} to ${text(stats?.max?.value)} ${one.metric.unit}, last ${text(stats?.last?.value)}`;
    });
  return `${track.topic.title}, ${span}` + (parts.length ? `: ${parts.join("; ")}` : "");
}

function Plot({ track, ticks }: { track: ChartTrack; ticks: TimeTick[] }) {
  const root = useRef<HTMLDivElement>(null);
  const plot = useRef<TrackPlot | null>(null);
  const view = useApp((s) => s.view);
  const width = useApp((s) => s.plotWidth);
  const theme = useApp((s) => s.theme);
  const step = useApp((s) => s.frame?.step ?? 0);
  const wide = useApp((s) => s.layout === "wide");
  // A canvas for what has not arrived would only delay what has.
  const known = useApp((s) => track.shown.length === 0 || track.shown.some((m) => s.frame?.series.has(m.metric.name)));
  useLayoutEffect(() => () => plot.current?.destroy(), []);
  useLayoutEffect(() => {
    if (!root.current || !view || document.hidden || (!known && !plot.current)) return;
    const palette = paletteOf(theme);
    const colors = palette.family[track.topic.family];
    plot.current ??= new TrackPlot(root.current);
    plot.current.update({
      width,
      height: track.plotHeight,
      from: view.from,
      to: view.to,
      scale: track.scale,
      ticks,
      series: track.shown.map((m) => {
        const style = track.styles.get(m.metric.name) ?? { step: 0, width: 1, dash: null, fill: null };
        return { name: m.metric.name, style, color: colors[style.step] };
      }),
      data: track.data,
      bands: step > 0,
      rules: track.ruleLines,
      wordsFrom: wide ? 6 : 40,
      palette,
    });
  }, [track, ticks, view, width, theme, wide, known]);
  return <div class="plot" ref={root} style={{ height: track.plotHeight + "px" }} />;
}
