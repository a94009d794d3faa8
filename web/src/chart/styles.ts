import type { Topic } from "../model/topics";

/** How one series is drawn: which lightness of its family, how wide, dashed or not, or filled. */
export interface SeriesStyle {
  step: 0 | 1 | 2;
  width: number;
  dash: number[] | null;
  /** Opacity of a layer of the stack; null: a line. */
  fill: number | null;
}

const dashed = [4, 3];
const dotted = [1.5, 3];

// In the order of a topic's table. Series of one chart differ in lightness, from the fourth on in dash.
const plain: [SeriesStyle["step"], number, number[] | null][] = [
  [0, 1.5, null], [1, 1.5, null], [2, 1, null], [1, 1.25, dashed], [2, 1.25, dashed], [0, 1.25, dashed],
  [1, 1.25, dotted], [2, 1.25, dotted], [0, 1.25, dotted],
];

export function stylesOf(topic: Topic): Map<string, SeriesStyle> {
  const styles = new Map<string, SeriesStyle>();
  // What is off at first takes its turn after the rest, so that showing it changes no other's colour.
  const lines = topic.metrics.filter((m) => !m.stacked).sort((a, b) => Number(b.shown) - Number(a.shown));
  lines.forEach((m, i) => {
    const [step, width, dash] = plain[i % plain.length] as (typeof plain)[number];
    styles.set(m.metric.name, { step, width, dash: m.dashed ? (dash ?? dashed) : dash, fill: null });
  });
  const layers = topic.metrics.filter((m) => m.stacked).reverse();
  layers.forEach((m, i) => {
    const fill = layers.length > 1 ? 0.6 - (0.4 * i) / (layers.length - 1) : 0.4;
    styles.set(m.metric.name, { step: 2, width: 0, dash: null, fill });
  });
  return styles;
}
