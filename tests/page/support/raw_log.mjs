// The log as it stands in its file, read without any of gpulse: a slow and simple oracle. Instants are
// milliseconds of the log's own clock, so that no time zone is needed to compare what the page prints.
import { readFileSync } from "node:fs";

/** Titles as GPU-Z writes them, up to the unit. A newer title of the same sensor stands behind the older. */
const titles = {
  gpu_temperature: ["GPU Temperature"],
  hot_spot_temperature: ["Hot Spot", "GPU Temperature (Hot Spot)"],
  memory_temperature: ["Memory Temperature", "GPU Temperature (Memory)"],
  cpu_temperature: ["CPU Temperature"],
  gpu_load: ["GPU Load"],
  perfcap: ["PerfCap Reason"],
};

export class RawLog {
  constructor(path) {
    this.rows = [];
    this.sessions = 0;
    let columns = [];
    for (const line of readFileSync(path, "latin1").split("\n")) {
      const cells = line.replaceAll("\0", "").split(",").map((cell) => cell.trim());
      if (cells[0] === "Date") {
        columns = cells.map((title) => title.replace(/\s*\[[^\]]*\]$/, ""));
        continue;
      }
      const time = Date.parse(cells[0].replace(" ", "T") + "Z");
      if (Number.isNaN(time) || cells.length !== columns.length) continue;
      const before = this.rows.at(-1);
      const begins = !before || before.columns !== columns || time < before.time || time - before.time > 300_000;
      if (begins) this.sessions++;
      this.rows.push({ time, columns, cells, session: this.sessions });
    }
  }

  /** [time, value, session] of every row that has a reading. */
  readings(name) {
    const of = (row) => {
      const at = row.columns.findIndex((title) => titles[name].includes(title));
      return at < 0 || row.cells[at] === "" || row.cells[at] === "-" ? NaN : Number(row.cells[at]);
    };
    return this.rows.map((row) => [row.time, of(row), row.session]).filter(([, value]) => !Number.isNaN(value));
  }
}

/** 11:23:07 */
export const clockOf = (time) => new Date(time).toISOString().slice(11, 19);

const temperatures = [
  ["gpu_temperature", "GPU", 85, 10],
  ["hot_spot_temperature", "hot spot", 100, 30],
  ["memory_temperature", "VRAM", 100, 30],
  ["cpu_temperature", "CPU", 80, 10],
];

/** What "Was it too hot?" has to say of an ended log: level, words, and at which clock. */
export function tooHot(log) {
  const known = temperatures.flatMap(([metric, name, limit, lasts]) => {
    const readings = log.readings(metric);
    if (!readings.length) return [];
    const hottest = readings.reduce((a, b) => (b[1] > a[1] ? b : a));
    return [{ name, limit, hottest: hottest[1], at: clockOf(hottest[0]), held: longestAbove(readings, limit) >= lasts }];
  });
  const nearest = known.reduce((a, b) => (b.limit - b.hottest < a.limit - a.hottest ? b : a));
  const over = known.filter((one) => one.held).sort((a, b) => a.limit - a.hottest - (b.limit - b.hottest))[0];
  if (over) return { mark: true, sentence: `Yes, ${over.name} reached ${over.hottest.toFixed(1)} °C at ${over.at}` };
  const away = nearest.limit - nearest.hottest;
  if (away < 0) return { mark: true, sentence: `No, but ${nearest.name} reached ${nearest.hottest.toFixed(1)} °C at ${nearest.at}` };
  return { mark: away <= 5, sentence: `No, ${nearest.name} stayed ${away.toFixed(1)} °C under its ${nearest.limit} °C rule` };
}

/** Seconds of the longest stretch of one session whose readings are all above. */
function longestAbove(readings, limit) {
  let longest = 0;
  let began = null;
  let session = 0;
  for (const [time, value, of] of readings) {
    if (value <= limit || of !== session) began = null;
    if (value > limit) {
      began ??= time;
      longest = Math.max(longest, (time - began) / 1000);
    }
    session = of;
  }
  return longest;
}

const limiting = 1 + 2 + 4 + 8 + 32;

/** Share of rows with a limit and the reason of most of them; null where the log has no such column. */
export function heldBack(log) {
  const readings = log.readings("perfcap");
  if (!readings.length) return null;
  const limited = readings.filter(([, bits]) => bits & limiting);
  const words = { 1: "power", 2: "heat", 4: "reliability voltage", 8: "operating voltage", 32: "SLI" };
  const count = (bit) => limited.filter(([, bits]) => bits & bit).length;
  const bits = Object.keys(words).map(Number).sort((a, b) => count(b) - count(a));
  return { share: limited.length / readings.length, reason: words[bits[0]], only: count(bits[1]) === 0 };
}

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** Load medians of the 30 s before and the 30 s from each row, where both are whole. */
export function loadSteps(log) {
  const readings = log.readings("gpu_load");
  const steps = [];
  for (let i = 5; i < readings.length - 5; i++) {
    const [time, , session] = readings[i];
    const near = (from, to) => readings.slice(Math.max(0, i - 40), i + 40)
      .filter(([t, , s]) => s === session && t >= from && t < to).map(([, value]) => value);
    const before = near(time - 30_000, time);
    const after = near(time, time + 30_000);
    if (before.length < 24 || after.length < 24) continue;
    steps.push({ clock: clockOf(time), time, before: median(before), after: median(after) });
  }
  return steps;
}
