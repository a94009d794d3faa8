import type { LaneName, Stats } from "../api/types";
import type { Frame } from "./series";

export interface LaneView {
  lane: LaneName;
  seconds: number;
  share: number;
  spans: [number, number][];
}

const words: Record<LaneName, string> = {
  power: "Power", thermal: "Thermal", reliability_voltage: "Reliability voltage",
  operating_voltage: "Operating voltage", sli: "SLI", not_limited: "Not limited", idle: "Idle",
};

export function laneLabel(lane: LaneName): string {
  return words[lane];
}

export function isLimit(lane: LaneName): boolean {
  return lane !== "not_limited" && lane !== "idle";
}

const bits: [number, LaneName][] = [
  [1, "power"], [2, "thermal"], [4, "reliability_voltage"], [8, "operating_voltage"], [32, "sli"],
];

/** Lanes that occur in the range, each with where; the rest only by name. */
export function lanesOf(stats: Stats | null, frame: Frame | null): { lanes: LaneView[]; never: LaneName[] } {
  const all = stats?.limits?.lanes ?? [];
  const cut = all.some((lane) => lane.cut);
  const drawn = cut && frame ? spansFromFrame(frame) : null;
  const lanes = all
    .filter((lane) => lane.seconds > 0)
    .map((lane): LaneView => ({
      lane: lane.lane,
      seconds: lane.seconds,
      share: lane.share,
      spans: drawn?.get(lane.lane) ?? lane.spans.map((s) => [Date.parse(s.from), Date.parse(s.to)]),
    }));
  const never = all.filter((lane) => lane.seconds <= 0 && isLimit(lane.lane)).map((lane) => lane.lane);
  return { lanes, never };
}

/** Reasons that one PerfCap value stands for; Util (16) alone and 0 are no limit. */
export function lanesOfValue(value: number, idle: boolean): LaneName[] {
  const limits = bits.filter(([bit]) => (value & bit) !== 0).map(([, lane]) => lane);
  return limits.length ? limits : [idle ? "idle" : "not_limited"];
}

// The server lists at most 500 spans a lane. Beyond that the pixel columns say where each reason
// occurred: no finer than the screen, but all of it.
function spansFromFrame(frame: Frame): Map<LaneName, [number, number][]> {
  const spans = new Map<LaneName, [number, number][]>();
  const mask = frame.series.get("perfcap_reason");
  const load = frame.series.get("gpu_load");
  if (!mask?.values) return spans;
  for (const { value, seconds } of mask.values) {
    seconds.forEach((s, i) => {
      if (!(s > 0)) return;
      const from = mask.time[i] as number;
      const to = frame.step > 0 ? from + frame.step : from + s * 1000;
      for (const lane of lanesOfValue(value, (load?.mean[i] ?? 100) < 10)) extend(spans, lane, from, to);
    });
  }
  return spans;
}

function extend(spans: Map<LaneName, [number, number][]>, lane: LaneName, from: number, to: number): void {
  const list = spans.get(lane) ?? [];
  const last = list[list.length - 1];
  if (last && from <= last[1] + 1 && from >= last[0]) last[1] = Math.max(last[1], to);
  else list.push([from, to]);
  spans.set(lane, list);
}
