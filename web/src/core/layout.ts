import type { Layout } from "./state";

export const margin = 16;
export const gutter = 104;
export const table = 416;
export const rail = 264;

/** Below this the rail no longer fits beside a plot of 480 px. */
export const railBeside = 2 * margin + gutter + 480 + table + margin + rail;

export function layoutOf(width: number): { layout: Layout; plotWidth: number } {
  if (width < 1200) {
    return { layout: width < 720 ? "phone" : "narrow", plotWidth: Math.max(240, width - 2 * margin) };
  }
  const beside = width >= railBeside ? margin + rail : 0;
  return { layout: "wide", plotWidth: width - 2 * margin - gutter - table - beside };
}
