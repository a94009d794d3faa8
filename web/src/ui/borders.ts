import type { Session } from "../api/types";

/** Pixels at which sessions begin in view. A year of them would be a wall of lines: those that touch are one. */
export function bordersOf(sessions: readonly Session[], x: (time: number) => number, width: number): number[] {
  const borders: number[] = [];
  let last = Infinity;
  for (const session of sessions) {
    const left = x(Date.parse(session.first));
    if (left < -0.5 || left > width || last - left < 4) continue;
    last = left;
    borders.push(Math.round(left));
  }
  return borders;
}
