import { day, hour, minute, second, type Zone } from "./time";

export interface TimeTick {
  time: number;
  label: string;
}

const steps = [
  second, 2 * second, 5 * second, 10 * second, 15 * second, 30 * second,
  minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute,
  hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day, 14 * day,
];
const monthSteps = [1, 3, 6, 12, 24, 60, 120];
const spacingLeast = 80;

/** Ticks at round local times, at least 80 px apart. */
export function timeTicks(from: number, to: number, width: number, zone: Zone): TimeTick[] {
  if (!(to > from) || width < 1) return [];
  const least = ((to - from) / width) * spacingLeast;
  const step = steps.find((s) => s >= least);
  return step === undefined ? monthTicks(from, to, least, zone) : stepTicks(from, to, step, zone);
}

function stepTicks(from: number, to: number, step: number, zone: Zone): TimeTick[] {
  const ticks: TimeTick[] = [];
  let last = -Infinity;
  for (let local = Math.ceil(zone.local(from) / step) * step; ; local += step) {
    const time = zone.instant(local);
    if (time > to) break;
    // A clock change makes two local times one instant, or puts one before the range.
    if (time < from || time <= last) continue;
    ticks.push({ time, label: stepLabel(time, local, step, zone) });
    last = time;
  }
  return ticks;
}

function stepLabel(time: number, local: number, step: number, zone: Zone): string {
  if (step >= day || local % day === 0) return zone.dayMonth(time);
  return step < minute ? zone.clock(time) : zone.hourMinute(time);
}

function monthTicks(from: number, to: number, least: number, zone: Zone): TimeTick[] {
  const step = monthSteps.find((m) => m * 30 * day >= least) ?? 240;
  const start = new Date(zone.local(from));
  const ticks: TimeTick[] = [];
  for (let month = Math.ceil((start.getUTCFullYear() * 12 + start.getUTCMonth()) / step) * step; ; month += step) {
    const time = zone.instant(Date.UTC(Math.floor(month / 12), month % 12, 1));
    if (time > to) return ticks;
    if (time < from) continue;
    ticks.push({ time, label: step >= 12 ? String(Math.floor(month / 12)) : zone.monthYear(time) });
  }
}

export interface Scale {
  min: number;
  max: number;
  ticks: number[];
  decimals: number;
}

const nice = [1, 2, 5];

function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const found = nice.find((n) => n * power >= value * (1 - 1e-9));
  return (found ?? 10) * power;
}

function niceNearest(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const fraction = value / power;
  return (fraction < 1.42 ? 1 : fraction < 3.17 ? 2 : fraction < 7.08 ? 5 : 10) * power;
}

/** Two to four round values inside [min, max], at least 14 px apart. */
export function valueTicks(min: number, max: number, height: number): { ticks: number[]; decimals: number } {
  const most = Math.max(2, Math.min(4, Math.floor(height / 14)));
  let step = niceAbove((max - min) / (most + 1));
  for (;;) {
    // Plus zero: a rounded −0 is a 0 like any other.
    const first = Math.ceil(min / step - 1e-9) + 0;
    const last = Math.floor(max / step + 1e-9);
    if (last - first + 1 <= most) {
      const ticks = [];
      for (let i = first; i <= last; i++) ticks.push(i * step);
      return { ticks, decimals: decimalsFor(step) };
    }
    step = niceAbove(step * 1.01);
  }
}

/** A scale from 0: one quarter of a tick above the data at most, so that a step back is seen as small. */
export function scaleFromZero(highest: number, height: number): Scale {
  if (!(highest > 0)) highest = 1;
  const quarter = niceAbove(highest / 3) / 4;
  const max = Math.ceil((highest * 1.01) / quarter) * quarter;
  return { min: 0, max, ...valueTicks(0, max, height) };
}

/** A scale fitted to the data in round steps, with at least half a step of air at either end. */
export function scaleFitted(lowest: number, highest: number, height: number, resolution: number): Scale {
  const span = Math.max(highest - lowest, resolution * 2, Math.abs(highest) * 1e-6, 1e-9);
  const step = Math.max(niceNearest(span / 6), resolution);
  let min = Math.floor(lowest / step + 1e-9) * step;
  let max = Math.ceil(highest / step - 1e-9) * step;
  if (lowest - min < step * 0.499) min -= step;
  if (max - highest < step * 0.499) max += step;
  // Readings that are never negative do not get a negative axis.
  if (lowest >= 0 && min < 0) min = 0;
  return { min, max, ...innerTicks(min, max, step, height) };
}

const innerSpacing = 20;

/**
 * Two to four ticks inside a fitted scale, on its own round values; at the ends they would stand in
 * the next track. Where the round ones leave fewer than two, every k-th from the first is taken.
 */
function innerTicks(min: number, max: number, step: number, height: number): { ticks: number[]; decimals: number } {
  const power = 10 ** Math.floor(Math.log10(step) + 1e-9);
  // Steps of 5 make labels with a digit more than they need.
  let unit = Math.round(step / power) === 5 ? power * 10 : step;
  let grid = inside(min, max, unit);
  if (grid.length < 2) {
    unit = step;
    grid = inside(min, max, unit);
  }
  const fits = (count: number, apart: number) => count <= 4 && ((unit * apart) / (max - min)) * height >= innerSpacing;
  for (let k = 1; k <= grid.length; k++) {
    const rounder = grid.filter((n) => n % k === 0);
    const everyNth = grid.filter((_, i) => i % k === 0);
    const chosen = rounder.length >= 2 ? rounder : everyNth;
    if (fits(chosen.length, k)) return { ticks: chosen.map((n) => n * unit), decimals: decimalsFor(unit) };
  }
  return { ticks: grid.slice(0, 1).map((n) => n * unit), decimals: decimalsFor(unit) };
}

const decimalsFor = (step: number) => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));

/** Multiples of `step` strictly inside, as whole numbers of steps. */
function inside(min: number, max: number, step: number): number[] {
  const found = [];
  for (let n = Math.ceil(min / step + 1e-6); n < max / step - 1e-6; n++) found.push(n);
  return found;
}
