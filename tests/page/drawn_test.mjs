// What is drawn and printed equals what the API says: tables, names, tiles, axis, cursor, and the
// pixels of lines and gaps.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { basename, join } from "node:path";
import { launch, settled, visiting } from "./support/browser.mjs";
import { says } from "./support/numbers.mjs";
import { colorOf, pixelsOf, scaleOf } from "./support/pixels.mjs";
import { generate, makeFolder, Program, realLog, removeFolder, unlessThere } from "./support/program.mjs";

let browser;
let folder;
before(async () => {
  browser = await launch();
  folder = makeFolder();
});
after(async () => {
  await browser.close();
  removeFolder(folder);
});

/** What the page calls a metric within its topic. Not taken from the page's sources: a wrong label is a wrong number. */
const rowNames = {
  temperature: {
    "Hot spot": "hot_spot_temperature", "GPU core": "gpu_temperature", VRAM: "memory_temperature", CPU: "cpu_temperature",
    VRM: "vrm_temperature", "Memory VRM 1": "memory1_vrm_temperature", "Memory VRM 2": "memory2_vrm_temperature",
  },
  power: {
    Board: "board_power_draw", "GPU chip": "gpu_chip_power_draw", "8-pin #1": "pcie_8pin1_power", "6-pin #1": "pcie_6pin1_power",
    "PCIe slot": "pcie_slot_power", MVDDQ: "mvddq_power_draw", MVDDC: "mvddc_power_draw", "USB-C": "usb_c_power_draw",
    "% of TDP": "power_consumption_percent",
  },
  load: {
    GPU: "gpu_load", "Memory controller": "memory_controller_load", "Bus interface": "bus_interface_load",
    "Video engine": "video_engine_load",
  },
  clock: { GPU: "gpu_clock", Memory: "memory_clock", UVD: "uvd_clock", "UVD, second": "uvd_clock_2" },
  voltage: { GPU: "gpu_voltage", Memory: "memory_voltage" },
  rail: { "8-pin #1": "pcie_8pin1_voltage", "6-pin #1": "pcie_6pin1_voltage", "PCIe slot": "pcie_slot_voltage" },
  fan: { "Fan 1": "fan1_speed_percent", "Fan 2": "fan2_speed_percent", "Fan 1 speed": "fan1_speed_rpm", "Fan 2 speed": "fan2_speed_rpm" },
  memory: { GPU: "gpu_memory_used", "GPU, dynamic": "gpu_memory_used_dynamic", System: "system_memory_used" },
};

async function opened(path, rows, name, link, check) {
  const program = await Program.start({ logs: [path], data: join(folder, name.replace(/\W/g, "")), zone: "Europe/Berlin" });
  try {
    const device = await program.holds(rows);
    await visiting(browser, program.url + link, {}, name, async (page) => {
      await settled(page);
      await check(page, program, device);
    });
  } finally {
    await program.stop();
  }
}

const tablesOf = (page) => page.$$eval("figure.track:not([data-topic=limits])", (tracks) => tracks.map((track) => ({
  topic: track.dataset.topic,
  name: track.getAttribute("aria-label"),
  rows: [...track.querySelectorAll("tbody tr")].map((row) => ({
    label: row.querySelector("th .ellipsis").textContent,
    cells: [...row.querySelectorAll("td")].map((cell) => cell.textContent),
  })),
})));

async function checkTables(page, program) {
  const stats = await program.get("stats");
  const byName = new Map(stats.metrics.map((m) => [m.metric, m]));
  const said = new Set();
  for (const { topic, name, rows } of await tablesOf(page)) {
    for (const { label, cells } of rows) {
      const together = /^Fan (\d(?:, \d)+) speed$/.exec(label)?.[1].split(", ").map((n) => `fan${n}_speed_rpm`);
      const metrics = together ?? [rowNames[topic][label]];
      for (const metric of metrics) {
        const found = byName.get(metric);
        assert.ok(found, `${topic} has a row "${label}", the log has no ${metric}`);
        said.add(metric);
        checkRow(`${topic}, ${label}`, cells, found);
        const part = new RegExp(`(?:: |; )${label.replace(/[#()%]/g, "\\$&")} from (\\S+) to (\\S+) \\S+(?: \\S+)?, last (\\S+?)(?:;|$)`).exec(name);
        if (part) [found.min.value, found.max.value, found.last.value].forEach((v, i) => assert.ok(says(part[i + 1], v), `${name}: ${v}`));
      }
    }
  }
  const gauges = stats.metrics.filter((m) => !m.values).map((m) => m.metric);
  assert.deepEqual([...said].sort(), gauges.sort(), "every metric has a row, each one");
}

function checkRow(where, cells, { last, min, mean, p95, max, constant, first, unit }) {
  assert.ok(says(cells[0], last.value), `${where}: last is ${last.value}, the page says ${cells[0]}`);
  if (cells.length === 2) {
    assert.ok(constant, where);
    return assert.ok(cells[1].startsWith(first.value.toFixed(1).replace(/\.0$/, "")) && cells[1].endsWith(`${unit} in every row`), cells[1]);
  }
  for (const [i, value] of [min.value, mean, p95, max.value].entries()) {
    assert.ok(says(cells[i + 1], value), `${where}, column ${i + 2}: ${value}, the page says ${cells[i + 1]}`);
  }
}

async function checkTiles(page, program) {
  const stats = await program.get("stats");
  const names = {
    "GPU core": "gpu_temperature", "Hot spot": "hot_spot_temperature", VRAM: "memory_temperature", CPU: "cpu_temperature",
    "Board power": "board_power_draw", "Chip power": "gpu_chip_power_draw", "GPU load": "gpu_load", "GPU clock": "gpu_clock",
    "GPU memory": "gpu_memory_used", Fan: "fan1_speed_percent", "Fan 1": "fan1_speed_percent",
  };
  const tiles = await page.$$eval(".tile", (list) => list.map((tile) => ({
    name: tile.querySelector(".tile_name").textContent,
    now: tile.querySelector(".tile_value").textContent,
    unit: tile.querySelector(".tile_unit").textContent,
    min: tile.querySelector(".tile_min").textContent.replace("min ", ""),
    max: tile.querySelector(".tile_max").textContent.replace("max ", ""),
    label: tile.getAttribute("aria-label"),
  })));
  assert.ok(tiles.length >= 5 && tiles.length <= 8, `${tiles.length} tiles`);
  for (const tile of tiles) {
    const found = stats.metrics.find((m) => m.metric === (tile.unit === "RPM" ? "fan1_speed_rpm" : names[tile.name]));
    assert.ok(found, tile.name);
    assert.equal(tile.unit, found.unit);
    for (const [text, value] of [[tile.now, found.last.value], [tile.min, found.min.value], [tile.max, found.max.value]]) {
      assert.ok(says(text, value), `${tile.name}: ${value}, the page says ${text}`);
    }
    assert.ok(tile.label.includes(tile.now), tile.label);
  }
}

async function checkLimits(page, program) {
  const { limits } = await program.get("stats");
  const lanes = await page.$$eval("[data-topic=limits] tbody tr:not(.off)", (rows) => rows.map((row) =>
    [row.querySelector("th .ellipsis").textContent, row.querySelector("td.words").textContent]));
  if (!limits) return assert.deepEqual(lanes, []);
  const words = {
    power: "Power", thermal: "Thermal", reliability_voltage: "Reliability voltage", operating_voltage: "Operating voltage",
    sli: "SLI", not_limited: "Not limited", idle: "Idle",
  };
  const expected = limits.lanes.filter((lane) => lane.seconds > 0).map((lane) => words[lane.lane]);
  assert.deepEqual(lanes.map(([name]) => name).sort(), expected.sort());
  for (const [name, text] of lanes) {
    const { share } = limits.lanes.find((lane) => words[lane.lane] === name);
    const percent = /· (< 1|> 99|\d+) %$/.exec(text)?.[1];
    if (percent === "< 1") assert.ok(share < 0.005, `${name} ${text}: ${share}`);
    else if (percent === "> 99") assert.ok(share >= 0.995, `${name} ${text}: ${share}`);
    else assert.ok(Math.abs(Number(percent) / 100 - share) <= 0.005, `${name} ${text}: ${share}`);
  }
}

async function checkLists(page, program, device) {
  const sessions = await program.get("sessions");
  const text = await page.locator(".rail").innerText();
  assert.match(text, new RegExp(`Sessions ${sessions.length}\\b`));
  const [source] = await program.get("sources");
  const facts = await page.$$eval(".rail dl.facts dd", (list) => list.map((dd) => dd.textContent));
  assert.equal(facts[0], basename(source.file));
  assert.ok(says(facts[2], device.rows), `every row is there: ${facts[2]} of ${device.rows}`);
  assert.ok(says(facts[3], source.set_aside));
}

describe("words and numbers are the API's", () => {
  for (const [name, rows] of [["nvidia-2023.txt", 4826], ["amd-2020-restarts.txt", 1673], ["legacy-2017-lf.txt", 3]]) {
    const path = realLog(name);
    test(name, { skip: unlessThere(path) }, () => opened(path, rows, "numbers of " + name, "#range=all", async (page, program, device) => {
      assert.equal(device.rows, rows);
      await checkTables(page, program);
      await checkTiles(page, program);
      await checkLimits(page, program);
      await checkLists(page, program, device);
    }));
  }

  test("a made-up log with limits and gaps", async () => {
    const path = generate(join(folder, "made.txt"), { scenario: "power-throttle,gaps", rows: 3000, seed: 9, start: "2026-03-02 20:00:00" });
    await opened(path, 3000, "numbers of a made-up log", "#range=all", async (page, program, device) => {
      await checkTables(page, program);
      await checkTiles(page, program);
      await checkLimits(page, program);
      await checkLists(page, program, device);
    });
  });
});

/** A range with one series in its track, so that what is drawn there can be told apart. */
const alone = "hide=gpu_temperature,cpu_temperature&from=2026-03-02T19:00:00.000Z&to=2026-03-02T19:";

describe("what is drawn", () => {
  let path;
  before(() => {
    path = generate(join(folder, "drawn.txt"), { scenario: "gaps", rows: 3000, seed: 3, start: "2026-03-02 20:00:00" });
  });

  /** Every column of pixels of the hot spot's line against the query that drew it. */
  async function checkLine(page, program, link) {
    const params = new URLSearchParams(link);
    const figure = page.locator("figure[data-topic=temperature]");
    const pixels = await pixelsOf(figure.locator("canvas"));
    const scale = await scaleOf(figure);
    const line = await colorOf(page, "--temperature-1");
    const query = await program.get(
      `query?metric=hot_spot_temperature&from=${params.get("from")}&to=${params.get("to")}&points=${pixels.width}`);
    const [series] = query.series;
    const [from, to] = [Date.parse(query.from), Date.parse(query.to)];
    const at = (time) => ((time - from) / (to - from)) * pixels.width;
    let lines = 0;
    let gaps = 0;
    for (const [i, time] of series.time.entries()) {
      const x = Math.round(at(time));
      const found = pixels.rowsOf(line, x - 1, x + 1);
      if (series.count[i] === 0) {
        const [before, after] = [at(series.time[i - 1] ?? from), at(series.time[i + 1] ?? to)];
        if (after - before < 6) continue;
        const inside = pixels.rowsOf(line, Math.ceil(before) + 2, Math.floor(after) - 2);
        assert.deepEqual(inside, [], `a gap at x ${before} to ${after} is not drawn over`);
        gaps++;
      } else {
        if (x < 1 || x > pixels.width - 2) continue;
        const y = scale(series.mean[i]);
        assert.ok(found.some((row) => Math.abs(row - y) <= 2), `x ${x}: ${series.mean[i]} stands at ${y}, drawn at ${found}`);
        lines++;
      }
    }
    return { lines, gaps, raw: query.raw };
  }

  test("a line stands at its values, in columns and in rows, and stops at gaps", async () => {
    const wide = alone + "55:00.000Z";
    await opened(path, 3000, "line in columns", "#" + wide, async (page, program) => {
      const columns = await checkLine(page, program, wide);
      assert.ok(!columns.raw && columns.lines > 300, JSON.stringify(columns));
      assert.ok(columns.gaps >= 1, JSON.stringify(columns));
      const near = alone + "08:00.000Z";
      await page.goto(program.url + "#" + near);
      await page.waitForURL(/08:00/);
      await page.waitForFunction(() => document.querySelector("figure[data-topic=temperature]").getAttribute("aria-label").includes("to 20:08:00"));
      await settled(page);
      const rows = await checkLine(page, program, near);
      assert.ok(rows.raw && rows.lines > 300, JSON.stringify(rows));
    });
  });

  test("time stands where the axis says, and the cursor reads the row under it", async () => {
    const link = "from=2026-03-02T19:00:00.000Z&to=2026-03-02T19:20:00.000Z";
    await opened(path, 3000, "axis and cursor", "#" + link, async (page, program) => {
      const ticks = await page.$$eval(".axis_tick", (list) => list.map((t) => [t.textContent, parseFloat(t.style.left)]));
      const width = (await page.locator(".overlay").boundingBox()).width;
      assert.ok(ticks.length >= 4, JSON.stringify(ticks));
      for (const [label, x] of ticks) {
        const [hour, minute] = label.split(":").map(Number);
        const expected = (((hour - 20) * 60 + minute) / 20) * width;
        assert.ok(Math.abs(x - expected) < 0.5, `${label} at ${x}, not ${expected}`);
      }
      // The middle of a row's second: its reading is the one to be read.
      const box = await page.locator(".overlay").boundingBox();
      // The row under the cursor is asked for once that rests; until it is there, columns' means stand in.
      const row = page.waitForResponse(/\/api\/v1\/query\?.*points=2000(&|$)/);
      await page.mouse.move(box.x + box.width / 3, box.y + 40);
      const clock = page.locator(".axis_cursor");
      await clock.waitFor();
      await (await row).finished();
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      const [h, m, s] = (await clock.textContent()).split(":").map(Number);
      const instant = Date.UTC(2026, 2, 2, h - 1, m, s);
      assert.ok(Math.abs(instant - Date.UTC(2026, 2, 2, 19, 6, 40)) <= 2000, await clock.textContent());
      const { series } = await program.get(
        `query?metric=gpu_temperature,board_power_draw,gpu_load,gpu_clock&from=${instant}&to=${instant + 999}&points=20`);
      for (const [topic, label, i] of [["temperature", "GPU core", 0], ["power", "Board", 1], ["load", "GPU", 2], ["clock", "GPU", 3]]) {
        const row = page.locator(`[data-topic=${topic}] tbody tr`).filter({ has: page.getByText(label, { exact: true }) });
        const text = await row.locator("td.now").textContent();
        assert.ok(says(text, series[i].mean[0]), `${label}: ${series[i].mean[0]}, under the cursor stands ${text}`);
      }
      assert.equal(await page.locator(".axis_heads b").textContent(), "cursor");
      await page.mouse.move(box.x + box.width / 3, box.y - 200);
      assert.equal(await page.locator(".axis_heads b").textContent(), "last");
    });
  });
});
