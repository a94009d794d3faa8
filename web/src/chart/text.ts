import { font } from "./draw";

const context = () => document.createElement("canvas").getContext("2d");
let ctx: CanvasRenderingContext2D | null | undefined;
const known = new Map<string, number>();

/** Pixels that a text takes. Laying it out in the page would cost a layout of the page. */
export function textWidth(text: string, px: number, weight: 400 | 600): number {
  const key = `${weight} ${px} ${text}`;
  let width = known.get(key);
  if (width === undefined) {
    ctx ??= context();
    if (ctx) ctx.font = font(px, weight);
    width = ctx ? ctx.measureText(text).width : text.length * px * 0.6;
    known.set(key, width);
  }
  return width;
}
