import type uPlot from "uplot";
import type { TimeTick } from "../format/ticks";
import type { Value } from "../model/series";
import type { Palette } from "./palette";

export interface RuleLine {
  limit: number;
  words: string;
}

export const font = (px: number, weight = 400) =>
  `${weight} ${px}px "Segoe UI Variable Text", "Segoe UI", system-ui, -apple-system, Roboto, "Noto Sans", sans-serif`;

const ratio = (plot: uPlot) => plot.ctx.canvas.width / plot.width;

interface Mapping {
  x(time: number): number;
  y(value: number): number;
}

/** uPlot's own valToPos looks its scale up at every call; thousands of points a frame want two numbers. */
function mappingOf(plot: uPlot): Mapping {
  const { left, top, width, height } = plot.bbox;
  const { x, y } = plot.scales;
  const [from, to] = [x?.min ?? 0, x?.max ?? 1];
  const [low, high] = [y?.min ?? 0, y?.max ?? 1];
  const perMs = width / (to - from);
  const perUnit = height / (high - low);
  return { x: (time) => left + (time - from) * perMs, y: (value) => top + (high - value) * perUnit };
}

/** Hairlines: values across, times from top to bottom at 55 %. */
export function drawGrid(plot: uPlot, times: TimeTick[], values: number[], palette: Palette): void {
  const { ctx } = plot;
  const px = ratio(plot);
  const { width, height } = ctx.canvas;
  const thick = Math.max(1, Math.round(px));
  ctx.save();
  ctx.fillStyle = palette.line;
  const { x, y } = mappingOf(plot);
  for (const value of values) ctx.fillRect(0, Math.round(y(value) - thick / 2), width, thick);
  ctx.globalAlpha = 0.55;
  for (const { time } of times) ctx.fillRect(Math.round(x(time)), 0, thick, height);
  ctx.restore();
}

/** Runs [start, end) of entries that have a reading. */
function* runs(values: Value[]): Generator<[number, number]> {
  let start = -1;
  for (let i = 0; i <= values.length; i++) {
    const has = i < values.length && values[i] != null;
    if (has && start < 0) start = i;
    if (!has && start >= 0) {
      yield [start, i];
      start = -1;
    }
  }
}

/** From each column's minimum to its maximum, so that nothing that lasted one second disappears. */
export function drawBands(
  plot: uPlot, time: number[], min: Value[], max: Value[], color: string, alpha: number,
): void {
  const { x: xOf, y } = mappingOf(plot);
  const x = (i: number) => xOf(time[i] as number);
  const { ctx } = plot;
  ctx.save();
  ctx.globalAlpha = alpha;
  ctx.fillStyle = color;
  ctx.beginPath();
  for (const [start, end] of runs(max)) {
    ctx.moveTo(x(start), y(max[start] as number));
    for (let i = start + 1; i < end; i++) ctx.lineTo(x(i), y(max[i] as number));
    for (let i = end - 1; i >= start; i--) ctx.lineTo(x(i), y(min[i] as number));
  }
  ctx.fill();
  ctx.restore();
}

export interface Layer {
  values: Value[];
  color: string;
  alpha: number;
}

/** Areas on top of each other, the first at the bottom. An entry without a reading adds nothing. */
export function drawStack(plot: uPlot, time: number[], layers: Layer[]): void {
  if (!layers.length) return;
  const { ctx } = plot;
  const map = mappingOf(plot);
  const x = time.map(map.x);
  const { y } = map;
  let floor = new Array<number>(time.length).fill(0);
  ctx.save();
  for (const { values, color, alpha } of layers) {
    const top = floor.map((from, i) => from + (values[i] ?? 0));
    ctx.globalAlpha = alpha;
    ctx.fillStyle = color;
    ctx.beginPath();
    for (const [start, end] of runs(values)) {
      ctx.moveTo(x[start] as number, y(top[start] as number));
      for (let i = start + 1; i < end; i++) ctx.lineTo(x[i] as number, y(top[i] as number));
      for (let i = end - 1; i >= start; i--) ctx.lineTo(x[i] as number, y(floor[i] as number));
    }
    ctx.fill();
    floor = top;
  }
  ctx.restore();
}

/** A sample with a gap on either side has no line: it is a dot. */
export function drawLoneDots(plot: uPlot, time: number[], values: Value[], color: string): void {
  const { ctx } = plot;
  const radius = 1.75 * ratio(plot);
  ctx.save();
  ctx.fillStyle = color;
  const { x: xOf, y } = mappingOf(plot);
  for (const [start, end] of runs(values)) {
    if (end - start > 1) continue;
    const x = xOf(time[start] as number);
    if (x < -radius || x > ctx.canvas.width + radius) continue;
    ctx.beginPath();
    ctx.arc(x, y(values[start] as number), radius, 0, 7);
    ctx.fill();
  }
  ctx.restore();
}

/** Dotted, with its words above it; words that would meet stand beside each other. */
export function drawRules(plot: uPlot, rules: RuleLine[], from: number, palette: Palette): void {
  const { ctx } = plot;
  const px = ratio(plot);
  ctx.save();
  ctx.strokeStyle = palette.alert;
  ctx.fillStyle = palette.alert;
  ctx.lineWidth = 1.5 * px;
  ctx.font = font(11 * px);
  ctx.textBaseline = "alphabetic";
  const sorted = [...rules].sort((a, b) => b.limit - a.limit);
  const map = mappingOf(plot);
  for (const { limit } of sorted) {
    const y = Math.round(map.y(limit));
    ctx.globalAlpha = 0.75;
    ctx.setLineDash([1.5 * px, 4 * px]);
    ctx.beginPath();
    ctx.moveTo(0, y);
    ctx.lineTo(ctx.canvas.width, y);
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
  ctx.setLineDash([]);
  ctx.strokeStyle = palette.bg;
  ctx.lineWidth = 3 * px;
  ctx.lineJoin = "round";
  let left = from * px;
  for (const { limit, words } of sorted) {
    const y = Math.round(map.y(limit));
    const base = y >= 14 * px ? y - 4 * px : y + 12 * px;
    // A rim of the background, since the line of the next rule may run through the words.
    ctx.strokeText(words, left, base);
    ctx.fillText(words, left, base);
    left += ctx.measureText(words).width + 16 * px;
  }
  ctx.restore();
}
