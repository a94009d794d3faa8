// Starts the real program on real input, and ends what it started by its own process id.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(new URL("../../..", import.meta.url).pathname);

export const gpulse = resolve(process.env.GPULSE ?? join(root, "build/gpulse"));

/** Real logs of owners' cards; not everybody has them, and then their tests are skipped, visibly. */
const realLogs = process.env.GPULSE_REAL_LOGS ?? "";

export function realLog(name) {
  const path = join(realLogs, name);
  return realLogs !== "" && existsSync(path) ? path : null;
}

/** The option `skip` of a test that needs the real log at `path`. */
export const unlessThere = (path) => (path ? false : "REAL LOGS NOT THERE: skipped");

export function makeFolder() {
  return mkdtempSync(join(tmpdir(), "gpulse-page-"));
}

export function removeFolder(folder) {
  rmSync(folder, { recursive: true, force: true });
}

/** The desktop of whoever starts the program, and the environment that makes it theirs. */
export function makeDesktop(folder) {
  const windows = process.env.GPULSE_WINEPREFIX;
  const users = windows && join(windows, "drive_c", "users");
  const home = users ? join(users, readdirSync(users).find((name) => name !== "Public")) : join(folder, "home");
  const desktop = join(home, "Desktop");
  mkdirSync(desktop, { recursive: true });
  return { desktop, environment: users ? {} : { HOME: home } };
}

/** Makes a log up; `options` as `gpulse generate` has them, without the dashes. */
export function generate(log, options) {
  const words = Object.entries({ ...options, out: log }).flatMap(([name, value]) => ["--" + name, String(value)]);
  execFileSync(gpulse, ["generate", ...words]);
  return log;
}

const startsWithin = 20_000;

/** A running `gpulse run`. */
export class Program {
  /** Resolves once the page's address is known. `port` 0 takes any that is free. */
  static async start({ logs = [], data, port = 0, zone = "UTC", more = [], environment = {}, executable = gpulse }) {
    const words = ["run", ...logs, "--data", data, "--port", String(port), "--timezone", zone, "--host", "rig", ...more];
    const child = spawn(executable, words, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...environment } });
    const program = new Program(child);
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += text));
    program.url = await new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`no address within ${startsWithin} ms: ${said}`)), startsWithin);
      child.on("exit", (code) => fail(new Error(`gpulse ended with ${code}: ${said}`)));
      child.stdout.on("data", () => {
        const found = /http:\/\/\S+\//.exec(said);
        if (!found) return;
        clearTimeout(timer);
        done(found[0]);
      });
    }).catch((error) => {
      child.kill("SIGKILL");
      throw error;
    });
    program.port = Number(new URL(program.url).port);
    return program;
  }

  constructor(child) {
    this.child = child;
    this.ended = new Promise((done) => child.on("exit", done));
  }

  async stop() {
    this.child.kill("SIGINT");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), 5000);
    await this.ended;
    clearTimeout(timer);
  }

  async get(path) {
    const answer = await fetch(new URL("api/v1/" + path, this.url));
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  /** Resolves when a device has at least `rows` rows: reading is not done with the first answer. */
  async holds(rows) {
    return until(`${rows} rows`, async () => {
      const devices = await this.get("devices");
      return devices.find((d) => d.rows >= rows) ?? null;
    });
  }
}

/** Asks `look` again and again until it finds something. */
export async function until(what, look, within = 15_000) {
  const end = Date.now() + within;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${within} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
