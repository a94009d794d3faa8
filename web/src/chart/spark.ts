import { extent, lowerBound, type Series, type Value } from "../model/series";
import { prepare } from "./canvas";

interface Look {
  line: string;
  dot: string;
  bandAlpha: number;
}

/** The visible range in a tile: mean and band, and a dot for now. */
export function drawSpark(
  canvas: HTMLCanvasElement, width: number, height: number, series: Series | undefined, from: number, to: number, look: Look,
): void {
  const ctx = prepare(canvas, width, height);
  const found = series && extent(series, from, to);
  if (!ctx || !series || !found || !(to > from)) return;
  const inset = 3;
  const span = found.max - found.min || 1;
  const middle = found.max === found.min ? height / 2 : null;
  const x = (time: number) => ((time - from) / (to - from)) * (width - inset - 1);
  const y = (value: number) => middle ?? inset + ((found.max - value) / span) * (height - 2 * inset);
  const columns = thin(series, from, to, width);
  ctx.fillStyle = look.line;
  ctx.globalAlpha = look.bandAlpha * 1.4;
  for (const c of columns) {
    if (c.min === null || c.max === null) continue;
    ctx.fillRect(x(c.time), y(c.max), 1, Math.max(0, y(c.min) - y(c.max)));
  }
  ctx.globalAlpha = 1;
  ctx.strokeStyle = look.line;
  ctx.lineWidth = 1.5;
  ctx.lineJoin = "round";
  ctx.beginPath();
  let pen = false;
  for (const c of columns) {
    if (c.mean !== null) pen ? ctx.lineTo(x(c.time), y(c.mean)) : ctx.moveTo(x(c.time), y(c.mean));
    pen = c.mean !== null;
  }
  ctx.stroke();
  const last = columns[columns.length - 1];
  if (last?.last == null) return;
  ctx.fillStyle = look.dot;
  ctx.beginPath();
  ctx.arc(Math.max(inset, x(last.time)), y(last.last), 2.5, 0, 7);
  ctx.fill();
}

interface Column {
  time: number;
  min: Value;
  max: Value;
  mean: Value;
  last: Value;
}

/** One entry a pixel: the spark is a tenth as wide as the plot that the series was fetched for. */
function thin(series: Series, from: number, to: number, width: number): Column[] {
  const step = (to - from) / width;
  const columns: Column[] = [];
  let weight = 0;
  for (let i = lowerBound(series.time, from); i < series.time.length; i++) {
    const time = series.time[i] as number;
    if (time > to) break;
    const mean = series.mean[i] ?? null;
    const column = columns[columns.length - 1];
    const start = from + Math.floor((time - from) / step) * step;
    if (!column || start > column.time || (mean === null) !== (column.mean === null)) {
      columns.push({ time: column && start <= column.time ? time : start, min: series.min[i] ?? null, max: series.max[i] ?? null, mean, last: mean });
      weight = series.count[i] ?? 0;
      continue;
    }
    if (mean === null || column.mean === null) continue;
    const count = series.count[i] || 1;
    column.mean = (column.mean * weight + mean * count) / (weight + count);
    weight += count;
    column.last = mean;
    column.min = Math.min(column.min ?? mean, series.min[i] ?? mean);
    column.max = Math.max(column.max ?? mean, series.max[i] ?? mean);
  }
  return columns;
}
