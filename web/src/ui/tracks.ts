import type { Metric, MetricStats, Rule } from "../api/types";
import { drawnRules, scaleOf } from "../chart/scale";
import { laneHeight } from "../chart/lanes";
import { stylesOf, type SeriesStyle } from "../chart/styles";
import { isShown } from "../core/actions";
import { currentDevice, type State } from "../core/state";
import { formatShare } from "../format/number";
import type { Scale } from "../format/ticks";
import { laneLabel, lanesOf, type LaneView } from "../model/limits";
import type { LaneName } from "../api/types";
import { align, type Aligned } from "../model/series";
import { topicsOf, type Topic, type TopicMetric } from "../model/topics";
import { shortName } from "../model/rules";
import { legendLines } from "./legend";
import type { RuleLine } from "../chart/draw";

const rowHeight = 16;
const titleHeight = 24;
const legendHeight = 16;

/** A row of a track's table. `also` are further sensors that say the same in every row. */
export interface TableRow {
  one: TopicMetric;
  shown: boolean;
  label: string;
  stats: MetricStats | undefined;
}

interface Placed {
  /** Pixels from the score's top (below its axis). */
  top: number;
  height: number;
  plotTop: number;
  plotHeight: number;
  /** Lines of its own that the legend has below the title; 0: it stands beside it. */
  legendLines: number;
}

export interface ChartTrack extends Placed {
  kind: "chart";
  topic: Topic;
  rows: TableRow[];
  styles: Map<string, SeriesStyle>;
  shown: TopicMetric[];
  scale: Scale;
  data: Aligned;
  above: AboveRule[];
  ruleLines: RuleLine[];
}

export interface LimitsTrack extends Placed {
  kind: "limits";
  lanes: LaneView[];
  never: LaneName[];
}

export type Track = ChartTrack | LimitsTrack;

export interface AboveRule {
  rule: Rule;
  words: string;
  seconds: number;
  first: string | null;
  known: boolean;
}

/** The score's tracks, top to bottom, with where each stands. Limits come second, as on the drawing. */
export function tracksOf(state: State): Track[] {
  const device = currentDevice(state);
  if (!device) return [];
  const tracks: Track[] = topicsOf(device.metrics).map((topic) => chartTrack(topic, state));
  if (device.metrics.some((m) => m.kind === "bitmask")) {
    const after = tracks.findIndex((t) => t.kind === "chart" && t.topic.id === "temperature") + 1;
    tracks.splice(after, 0, limitsTrack(state));
  }
  let top = 0;
  for (const track of tracks) {
    track.top = top;
    top += track.height;
  }
  return tracks;
}

export function scoreHeight(tracks: readonly Track[]): number {
  const last = tracks[tracks.length - 1];
  return last ? last.top + last.height : 0;
}

function chartTrack(topic: Topic, state: State): ChartTrack {
  const rows = rowsOf(topic, state);
  const shown = topic.metrics.filter((m) => isShown(state, m));
  const above = aboveOf(topic, state);
  const tableHeight = rows.length * rowHeight + 12 + (above.length ? 5 + Math.ceil(above.length / 2) * rowHeight : 0);
  const items = shown.map(({ label, metric }) => ({ label, number: longestReading(metric) }));
  const placed = place(state, topic.height, tableHeight, `${topic.title} ${topic.unit}`, items);
  const frame = state.frame;
  const view = state.view;
  const scale: Scale = frame && view
    ? scaleOf(topic, shown, frame, view.from, view.to, placed.plotHeight, state.rules)
    : { min: 0, max: 1, ticks: [], decimals: 0 };
  const series = shown.map((m) => frame?.series.get(m.metric.name) ?? emptySeries(m));
  const peak = (name: string) => state.stats?.metrics.find((m) => m.metric === name)?.max?.value ?? null;
  const ruleLines = drawnRules(shown, state.rules, peak, scale)
    .map((rule) => ({ limit: rule.limit, words: `${shortName(rule.metric)} rule ${rule.limit}` }));
  return { kind: "chart", topic, rows, shown, above, scale, ruleLines, styles: stylesOf(topic), data: align(series), ...placed };
}

function emptySeries({ metric }: TopicMetric) {
  return { metric: metric.name, unit: metric.unit, time: [], min: [], max: [], mean: [], count: [], values: null };
}

function limitsTrack(state: State): LimitsTrack {
  const { lanes, never } = lanesOf(state.stats, state.frame);
  const lines = lanes.length + (never.length ? 1 : 0);
  const plot = lanes.length > 1 ? lanes.length * laneHeight + 12 : 44;
  const items = lanes.map(({ lane, share }) => ({ label: laneLabel(lane), number: formatShare(share) }));
  return { kind: "limits", lanes, never, ...place(state, plot, lines * rowHeight + 12, "Limits PerfCap", items) };
}

const wholeDigits: Record<string, string> = { "V": "00", "MHz": "0 000", "RPM": "0 000", "MB": "000 000" };

function longestReading({ unit, decimals }: Metric): string {
  return (wholeDigits[unit] ?? "000") + (decimals ? "." + "0".repeat(Math.min(decimals, 3)) : "");
}

/** Beside its table a track is never lower than it; without, a title line stands above the plot. */
function place(state: State, plot: number, table: number, title: string, items: { label: string; number: string }[]): Placed {
  if (state.layout === "wide") {
    const height = Math.max(plot, table);
    return { top: 0, height, plotTop: 0, plotHeight: height, legendLines: 0 };
  }
  const lines = legendLines(title, items, state.plotWidth);
  const plotTop = titleHeight + lines * legendHeight;
  const plotHeight = plot >= 136 ? 112 : Math.max(44, Math.min(plot, 72));
  return { top: 0, height: plotTop + plotHeight, plotTop, plotHeight, legendLines: lines };
}

const fanSpeed = /^fan(\d)_speed_rpm$/;

function rowsOf(topic: Topic, state: State): TableRow[] {
  const stats = new Map(state.stats?.metrics.map((m) => [m.metric, m]));
  const rows = topic.metrics.map((one): TableRow => ({
    one, label: one.label, shown: isShown(state, one), stats: stats.get(one.metric.name),
  }));
  // Fans that all stand at the same speed for ever are one line, not one each.
  const still = rows.filter((r) => fanSpeed.test(r.one.metric.name) && r.stats?.constant && !r.shown);
  const first = still[0];
  if (still.length < 2 || !first || still.some((r) => r.stats?.first?.value !== first.stats?.first?.value)) return rows;
  const numbers = still.map((r) => fanSpeed.exec(r.one.metric.name)?.[1]).join(", ");
  return rows.filter((r) => !still.includes(r)).concat({ ...first, label: `Fan ${numbers} speed` });
}

function aboveOf(topic: Topic, state: State): AboveRule[] {
  const list: AboveRule[] = [];
  for (const { metric } of topic.metrics) {
    const stats = state.stats?.metrics.find((m) => m.metric === metric.name);
    for (const rule of state.rules) {
      if (rule.metric !== metric.name || rule.severity === "info") continue;
      const found = stats?.above.find((a) => a.limit === rule.limit);
      // Temperatures say "0 s" too: that is the answer people come for. Elsewhere only what happened is news.
      if (topic.id !== "temperature" && !(found && found.seconds > 0)) continue;
      list.push({
        rule, words: `${shortName(rule.metric)} ${rule.above ? ">" : "<"} ${rule.limit}`,
        seconds: found?.seconds ?? 0, first: found?.first ?? null, known: found !== undefined,
      });
    }
  }
  return list.sort((a, b) => a.rule.limit === b.rule.limit ? 0 : orderOf(a) - orderOf(b));
}

const orderOf = (a: AboveRule) => ["gpu_temperature", "cpu_temperature", "hot_spot_temperature"].indexOf(a.rule.metric) + 1 || 9;
