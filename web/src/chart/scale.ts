import type { Rule } from "../api/types";
import { scaleFitted, scaleFromZero, valueTicks, type Scale } from "../format/ticks";
import { closeness } from "../model/rules";
import { extent, type Frame, type Value } from "../model/series";
import type { Topic, TopicMetric } from "../model/topics";

/** Air above and below the scale inside a track. */
export const padding = 8;

/** The one value scale of a track, for what is shown of it in [from, to]. */
export function scaleOf(
  topic: Topic, shown: readonly TopicMetric[], frame: Frame, from: number, to: number, height: number, rules: readonly Rule[],
): Scale {
  const room = height - 2 * padding;
  let min = Infinity;
  let max = -Infinity;
  for (const { metric } of shown) {
    const series = frame.series.get(metric.name);
    const found = series && extent(series, from, to);
    if (!found) continue;
    min = Math.min(min, found.min);
    max = Math.max(max, found.max);
  }
  const foreign = shown.some((m) => m.metric.unit !== topic.unit);
  if (topic.scale === "percent" && !foreign && !(max > 100)) return { min: 0, max: 100, ...valueTicks(0, 100, room) };
  if (!(min <= max)) return emptyScale(topic, room);
  if (topic.scale !== "fitted") return scaleFromZero(Math.max(max, stackTop(shown, frame, from, to)), room);
  const main = mainRule(shown, rules);
  if (main && topic.id === "temperature") max = Math.max(max, main.limit);
  const decimals = Math.min(3, Math.max(0, ...shown.map((m) => m.metric.decimals)));
  return scaleFitted(min, max, room, 10 ** -decimals);
}

function emptyScale(topic: Topic, room: number): Scale {
  return topic.id === "temperature"
    ? { min: 30, max: 90, ...valueTicks(30, 90, room) }
    : { min: 0, max: 1, ticks: [], decimals: 0 };
}

function stackTop(shown: readonly TopicMetric[], frame: Frame, from: number, to: number): number {
  const layers = shown.filter((m) => m.stacked).map((m) => frame.series.get(m.metric.name));
  const first = layers[0];
  if (!first) return 0;
  let top = 0;
  for (let i = 0; i < first.time.length; i++) {
    const time = first.time[i] as number;
    if (time < from || time > to) continue;
    top = Math.max(top, layers.reduce((sum, s) => sum + (s?.mean[i] ?? 0), 0));
  }
  return top;
}

/** The rule that a track's scale makes room for: the card's own, else its first. */
export function mainRule(shown: readonly TopicMetric[], rules: readonly Rule[]): Rule | undefined {
  const own = (name: string) => rules.find((r) => r.metric === name && r.severity !== "info");
  const names = shown.map((m) => m.metric.name);
  return (names.includes("gpu_temperature") ? own("gpu_temperature") : undefined)
    ?? names.map(own).find((rule) => rule !== undefined);
}

/** Rules drawn as lines: the main one, and those that the range came near; more would be noise. */
export function drawnRules(
  shown: readonly TopicMetric[], rules: readonly Rule[], highest: (name: string) => Value, scale: Scale,
): Rule[] {
  const main = mainRule(shown, rules);
  const units = new Map(shown.map((m) => [m.metric.name, m.metric.unit]));
  return rules.filter((rule) => {
    const unit = units.get(rule.metric);
    if (unit === undefined || rule.severity === "info") return false;
    if (rule.limit < scale.min || rule.limit > scale.max) return false;
    const peak = highest(rule.metric);
    return rule === main || (peak !== null && closeness(peak, rule, unit) !== "ok");
  });
}

/** Pixels from the track's top to a value. */
export function yOf(value: number, scale: Scale, height: number): number {
  return padding + ((scale.max - value) / (scale.max - scale.min)) * (height - 2 * padding);
}
