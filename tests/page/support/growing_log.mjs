// A log that is being written: an hour of a made-up card that ends now, then row after row as GPU-Z
// appends them, with temperatures that a test can tell apart.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generate } from "./program.mjs";

const stamp = (time) => new Date(time).toISOString().slice(0, 19).replace("T", " ");

export class GrowingLog {
  /** `path` is written with `rows` rows of one a second up to `end`; UTC is the zone of its clock. */
  constructor(path, { rows = 3600, end = Date.now(), scenario = "gaming", seed = 21 } = {}) {
    this.path = path;
    this.time = Math.floor(end / 1000) * 1000;
    const folder = mkdtempSync(path + "-");
    const whole = generate(join(folder, "log.txt"), { scenario, seed, rows });
    const lines = readFileSync(whole, "latin1").split("\r\n").filter((line) => line !== "");
    rmSync(folder, { recursive: true });
    this.header = lines[0];
    this.titles = this.header.split(",").map((title) => title.trim());
    this.column = this.titles.findIndex((title) => title.startsWith("GPU Temperature"));
    this.model = lines.at(-1);
    const first = this.time - (lines.length - 2) * 1000;
    const body = lines.slice(1).map((line, i) => stamp(first + i * 1000) + line.slice(19));
    this.text = [this.header, ...body, ""].join("\r\n");
    this.rows = body.length;
  }

  write() {
    writeFileSync(this.path, this.text, "latin1");
    return this;
  }

  /** Appends a row a second later than the last, in one write; tells when the write returned. */
  append(temperature, seconds = 1) {
    this.time += seconds * 1000;
    const cells = this.model.split(",");
    cells[0] = stamp(this.time) + " ";
    cells[this.column] = `   ${temperature.toFixed(1)} `.padStart(cells[this.column].length);
    appendFileSync(this.path, cells.join(",") + "\r\n", "latin1");
    this.rows++;
    return Date.now();
  }
}
