import type { LaneName } from "../api/types";
import type { TimeTick } from "../format/ticks";
import { isLimit, laneLabel, type LaneView } from "../model/limits";
import { prepare } from "./canvas";
import { font } from "./draw";
import type { Palette } from "./palette";

export const laneHeight = 16;

/** Reasons take their topic's hue; what is no limit is an outline. */
export function laneColor(lane: LaneName, palette: Palette): string {
  switch (lane) {
    case "power":
      return palette.family.power[1];
    case "thermal":
      return palette.family.temperature[1];
    case "reliability_voltage":
      return palette.family.voltage[1];
    case "operating_voltage":
      return palette.family.voltage[2];
    case "sli":
      return palette.ink2;
    default:
      return palette.raised;
  }
}

export interface LanesInput {
  width: number;
  height: number;
  from: number;
  to: number;
  ticks: TimeTick[];
  lanes: LaneView[];
  palette: Palette;
}

/** One row per reason, or one bar with its word when only one state occurs. */
export function drawLanes(canvas: HTMLCanvasElement, input: LanesInput): void {
  const { width, height, from, to, lanes, palette } = input;
  const ctx = prepare(canvas, width, height);
  if (!ctx) return;
  const x = (time: number) => ((time - from) / (to - from)) * width;
  ctx.globalAlpha = 0.55;
  ctx.fillStyle = palette.line;
  for (const { time } of input.ticks) ctx.fillRect(Math.round(x(time)), 0, 1, height);
  ctx.globalAlpha = 1;
  const single = lanes.length === 1;
  lanes.forEach((lane, row) => {
    const top = single ? 12 : 6 + row * laneHeight + 2;
    const thick = single ? 21 : 12;
    ctx.fillStyle = palette.line;
    if (!single) ctx.fillRect(0, top + thick / 2, width, 1);
    for (const [a, b] of lane.spans) drawSpan(ctx, lane.lane, Math.max(x(a), -2), Math.min(x(b), width + 2), top, thick, palette);
    if (single) drawWord(ctx, lane, Math.max(0, x(lane.spans[0]?.[0] ?? from)), top + thick / 2, palette);
  });
}

function drawSpan(
  ctx: CanvasRenderingContext2D, lane: LaneName, left: number, right: number, top: number, thick: number, palette: Palette,
): void {
  if (right < 0 || left > ctx.canvas.width) return;
  // One second of a limit must be seen in a year.
  const width = Math.max(1, right - left);
  ctx.fillStyle = laneColor(lane, palette);
  ctx.fillRect(left, top, width, thick);
  if (isLimit(lane) || width < 3) return;
  ctx.strokeStyle = palette.line2;
  ctx.strokeRect(Math.round(left) + 0.5, top + 0.5, Math.max(1, Math.round(width) - 1), thick - 1);
}

function drawWord(ctx: CanvasRenderingContext2D, lane: LaneView, left: number, middle: number, palette: Palette): void {
  ctx.font = font(12);
  ctx.textBaseline = "middle";
  ctx.fillStyle = isLimit(lane.lane) ? palette.bg : palette.ink2;
  ctx.fillText(laneLabel(lane.lane).toLowerCase(), left + 8, middle + 0.5);
}
