// The page in use: ranges, zoom, keys, links, saving.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { launch, settled, visiting } from "./support/browser.mjs";
import { generate, makeFolder, Program, removeFolder, until } from "./support/program.mjs";

let browser;
let folder;
let program;
let device;

// Several sessions, and alerts in them: load above 95 % is one, if only for information.
before(async () => {
  browser = await launch();
  folder = makeFolder();
  const log = generate(join(folder, "evening.txt"), { scenario: "restarts,gaming", rows: 6000, seed: 6, start: "2026-03-02 18:00:00" });
  program = await Program.start({ logs: [log], data: join(folder, "data") });
  device = await program.holds(6000);
});
after(async () => {
  await program.stop();
  await browser.close();
  removeFolder(folder);
});

const used = (name, link, steps) => test(name, () => visiting(browser, program.url + link, {}, name, async (page, context) => {
  await settled(page);
  await steps(page, context);
}));

const linkOf = (page) => new URLSearchParams(new URL(page.url()).hash.slice(1));

/** The range that the link tells, once it is another than `before`. */
async function rangeOf(page, before = null) {
  await page.waitForFunction((old) => location.hash !== old && location.hash.includes("from="), before);
  const link = linkOf(page);
  return { from: Date.parse(link.get("from")), to: Date.parse(link.get("to")) };
}

const spanInName = (page) => page.locator("[data-topic=temperature]").getAttribute("aria-label")
  .then((name) => /^Temperature, (.+?)(?:: |$)/.exec(name)[1]);

const chosenRange = (page) => page.locator(".segments [aria-pressed=true]").allTextContents();

const hour = 3_600_000;

used("drag zooms, double-click goes back, Shift-drag moves along", "#range=1h", async (page) => {
  const end = Date.parse(device.last);
  const box = await page.locator(".overlay").boundingBox();
  const drag = async (from, to) => {
    await page.mouse.move(box.x + from, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + (from + to) / 2, box.y + 70);
    assert.ok(page.url().includes("range=1h") || page.url().includes("from="));
    await page.mouse.move(box.x + to, box.y + 60);
    await page.mouse.up();
  };
  await drag(box.width / 4, box.width / 2);
  const zoomed = await rangeOf(page);
  const pixel = hour / box.width;
  assert.ok(Math.abs(zoomed.from - (end - hour * 0.75)) <= pixel, new Date(zoomed.from).toISOString());
  assert.ok(Math.abs(zoomed.to - (end - hour * 0.5)) <= pixel, new Date(zoomed.to).toISOString());
  assert.deepEqual(await chosenRange(page), []);
  await page.waitForFunction(() => document.querySelectorAll(".axis_tick").length > 3);
  // Statistics follow the range.
  const stats = await program.get(`stats?from=${zoomed.from}&to=${zoomed.to}`);
  const hot = stats.metrics.find((m) => m.metric === "hot_spot_temperature");
  await page.waitForFunction(([low, high]) => document.querySelector("[data-topic=temperature]").getAttribute("aria-label")
    .includes(`Hot spot from ${low} to ${high} `), [hot.min.value.toFixed(1), hot.max.value.toFixed(1)]);

  await page.keyboard.down("Shift");
  await drag(box.width / 2, box.width / 2 + 100);
  await page.keyboard.up("Shift");
  const moved = await rangeOf(page);
  const by = ((zoomed.to - zoomed.from) * 100) / box.width;
  assert.ok(Math.abs(zoomed.from - by - moved.from) <= by / 50, `moved by ${zoomed.from - moved.from}, not ${by}`);
  assert.ok(Math.abs(moved.to - moved.from - (zoomed.to - zoomed.from)) <= 1);

  await page.mouse.dblclick(box.x + 200, box.y + 60);
  assert.deepEqual(await rangeOf(page, "#"), zoomed);
  await page.mouse.dblclick(box.x + 200, box.y + 60);
  await page.waitForURL(/range=1h/);
  assert.deepEqual(await chosenRange(page), ["1 h"]);
});

used("range buttons and their keys count back from the last row", "", async (page) => {
  const lasts = { "5 min": 1 / 12, "15 min": 1 / 4, "1 h": 1, "6 h": 6, "24 h": 24, "7 d": 168 };
  const clock = (time) => new Date(time).toISOString().slice(11, 19);
  const day = (time) => `${new Date(time).getUTCDate()} ${["Jan", "Feb", "Mar"][new Date(time).getUTCMonth()]} `;
  const end = Date.parse(device.last);
  const sessions = await program.get("sessions");
  const expectSpan = async (label, from) => {
    const before = day(from) === day(end) ? "" : day(from);
    const wanted = `${before}${clock(from)} to ${clock(end)}`;
    await page.waitForFunction((span) => document.querySelector("[data-topic=temperature]").getAttribute("aria-label").includes(span), wanted)
      .catch(async () => assert.equal(await spanInName(page), wanted, label));
    assert.deepEqual(await chosenRange(page), [label]);
  };
  const froms = {
    ...Object.fromEntries(Object.entries(lasts).map(([label, hours]) => [label, end - hours * hour])),
    all: Date.parse(device.first), session: Date.parse(sessions[0].first),
  };
  const keys = { "5 min": "1", "15 min": "2", "1 h": "3", "6 h": "4", "24 h": "5", "7 d": "6", all: "0", session: "7" };
  assert.deepEqual(await page.locator(".segments button").allTextContents(), Object.keys(froms));
  for (const [label, from] of Object.entries(froms)) {
    await page.locator(".segments button").filter({ hasText: new RegExp(`^${label}$`) }).click();
    await expectSpan(label, from);
  }
  for (const [label, from] of Object.entries(froms)) {
    await page.keyboard.press(keys[label]);
    await expectSpan(label, from);
  }
});

used("keys: cursor, zoom, back, sessions, alerts", "#range=all", async (page) => {
  const cursor = page.locator(".axis_cursor");
  const left = () => page.locator(".cursor").evaluate((e) => parseFloat(e.style.left));
  await page.keyboard.press("ArrowLeft");
  await cursor.waitFor();
  const first = await left();
  await page.keyboard.press("Shift+ArrowLeft");
  await page.waitForFunction((x) => parseFloat(document.querySelector(".cursor").style.left) < x - 5, first);
  const second = await left();
  assert.ok(Math.abs(first - second - 10) < 2.5, `ten columns: ${first} to ${second}`);
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction((x) => parseFloat(document.querySelector(".cursor").style.left) > x, second);
  assert.ok(Math.abs((await left()) - second - 1) < 2.5);

  // Zoom at the cursor: it stays where it is, half as much is seen.
  const all = Date.parse(device.last) - Date.parse(device.first);
  const at = await left();
  await page.keyboard.press("+");
  const half = await rangeOf(page);
  assert.ok(Math.abs(half.to - half.from - all / 2) < 2, `${half.to - half.from} of ${all}`);
  assert.ok(Math.abs((await left()) - at) < 2);
  const zoomedIn = new URL(page.url()).hash;
  await page.keyboard.press("-");
  const whole = await rangeOf(page, zoomedIn);
  assert.ok(Math.abs(whole.to - whole.from - all) < 4);
  await page.keyboard.press("Backspace");
  await page.waitForURL((url) => url.hash === zoomedIn);
  await page.keyboard.press("Backspace");
  await page.waitForURL(/range=all/);
  await page.keyboard.press("Escape");

  // Sessions: newest first in the list, before and after by key.
  const sessions = await program.get("sessions");
  assert.equal(sessions.length, 5);
  const shown = async (session) => page.waitForURL((url) => url.hash.includes(`session=${session.source}:${session.session}`));
  await page.keyboard.press("7");
  await page.keyboard.press("[");
  await shown(sessions[1]);
  await page.keyboard.press("[");
  await shown(sessions[2]);
  await page.keyboard.press("]");
  await shown(sessions[1]);
  await page.locator(".rail_item").filter({ hasText: `session ${sessions[3].session}` }).click();
  await shown(sessions[3]);

  // Alerts: the cursor goes to the peak of the next and the previous one.
  await page.keyboard.press("0");
  const peaks = (await program.get("alerts")).map((a) => a.peak_at.slice(11, 19)).reverse();
  await page.waitForFunction((n) => document.querySelector(".rail_part h2 span").textContent.startsWith(`${n} in range`), peaks.length);
  assert.ok(peaks.length >= 2, `${peaks.length} alerts`);
  const cursorAt = (peak) => page.waitForFunction((text) => document.querySelector(".axis_cursor")?.textContent.endsWith(text), peak);
  await page.keyboard.press("a");
  await cursorAt(peaks[0]);
  await page.keyboard.press("a");
  await cursorAt(peaks[1]);
  await page.keyboard.press("A");
  await cursorAt(peaks[0]);
});

used("keys: list, device, theme, Tab and Enter", "", async (page) => {
  await page.keyboard.press("?");
  const list = page.getByRole("dialog", { name: "Keys" });
  await list.waitFor();
  const text = await list.innerText();
  for (const what of ["ranges", "cursor by a column", "zoom at the cursor", "session before", "alert", "hold the live view", "open a log"]) {
    assert.ok(text.includes(what), what);
  }
  // The page behind it stands still, and Tab stays inside.
  await page.keyboard.press("1");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  assert.ok(await page.evaluate(() => document.activeElement.closest("[role=dialog]") !== null));
  await page.keyboard.press("Escape");
  await list.waitFor({ state: "detached" });
  assert.deepEqual(await chosenRange(page), ["session"]);

  await page.keyboard.press("d");
  const devices = page.getByRole("listbox", { name: "Devices" });
  await devices.waitFor();
  assert.equal(await devices.getByRole("option").count(), 1);
  assert.match(await devices.innerText(), /rig \/ evening\s+ended 2 Mar 2026/);
  await page.keyboard.press("Escape");
  await devices.waitFor({ state: "detached" });

  await page.keyboard.press("t");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "light");
  await page.reload();
  await settled(page);
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "light", "the choice is kept");
  await page.keyboard.press("t");

  // A series is reached by Tab and hidden by Enter.
  const series = page.locator("[data-topic=temperature] button.series").first();
  for (let i = 0; i < 40 && !(await series.evaluate((e) => e === document.activeElement)); i++) await page.keyboard.press("Tab");
  assert.equal(await series.getAttribute("aria-pressed"), "true");
  await page.keyboard.press("Enter");
  await page.waitForURL(/hide=hot_spot_temperature/);
  assert.equal(await series.getAttribute("aria-pressed"), "false");
  assert.ok(!(await page.locator("[data-topic=temperature]").getAttribute("aria-label")).includes("Hot spot"));
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => !url.hash.includes("hide="));
  // Alone, and all again.
  await series.dblclick();
  await page.waitForFunction(() => document.querySelectorAll("[data-topic=temperature] button.series[aria-pressed=true]").length === 1);
  await series.dblclick();
  await page.waitForURL((url) => !url.hash.includes("hide="));
});

used("s saves a picture and a table of the range", "#from=2026-03-02T18:00:00.000Z&to=2026-03-02T18:02:00.000Z", async (page) => {
  const saved = async (item) => {
    await page.keyboard.press("s");
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name: item }).click()]);
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  };
  const picture = await saved(/^Picture/);
  assert.match(picture.name, /^gpulse rig evening 2026-03-02T18-00-00\.png$/);
  assert.equal(picture.bytes.subarray(1, 4).toString(), "PNG");
  assert.ok(picture.bytes.readUInt32BE(16) >= 1000, "as wide as the page");
  const table = await saved(/^Table/);
  const lines = table.bytes.toString().trim().split("\r\n");
  const { series } = await program.get("query?metric=gpu_temperature,board_power_draw&from=2026-03-02T18:00:00Z&to=2026-03-02T18:02:00Z&points=20000");
  assert.equal(lines.length, 1 + series[0].time.length);
  const heads = lines[0].split(",");
  const cells = lines[60].split(",");
  assert.equal(cells[0], new Date(series[0].time[59]).toISOString());
  assert.equal(Number(cells[heads.indexOf("gpu_temperature")]), series[0].mean[59]);
  assert.equal(Number(cells[heads.indexOf("board_power_draw")]), series[1].mean[59]);
});

used("a link shows somebody else the same", "#range=all", async (page) => {
  const box = await page.locator(".overlay").boundingBox();
  await page.mouse.move(box.x + 620, box.y + 60);
  await page.mouse.down();
  await page.mouse.move(box.x + 720, box.y + 60);
  await page.mouse.up();
  await rangeOf(page);
  await page.locator("[data-topic=power] button.series").nth(1).click();
  await page.locator("[data-topic=power] button.series").last().click();
  await page.waitForURL(/hide=.*show=/);
  await page.mouse.move(10, 10);
  await settled(page);
  const look = (p) => p.evaluate(() => ({
    names: [...document.querySelectorAll("figure")].map((f) => f.getAttribute("aria-label")),
    pressed: [...document.querySelectorAll("button.series")].map((b) => b.getAttribute("aria-pressed")),
    answers: [...document.querySelectorAll(".answer")].map((a) => a.textContent),
    ticks: [...document.querySelectorAll(".axis_tick")].map((t) => `${t.textContent} ${parseFloat(t.style.left).toFixed(1)}`),
    device: document.querySelector(".device_picker").textContent,
  }));
  await visiting(browser, page.url(), {}, "the same link", async (other) => {
    await settled(other);
    // Either page may still be fetching; in the end they are the same.
    await until("both show the same", async () => isDeepStrictEqual(await look(other), await look(page)), 5000)
      .catch(async () => assert.deepEqual(await look(other), await look(page)));
    const { names, pressed } = await look(other);
    assert.ok(names.every((name) => !name.includes("GPU chip")) && names.some((name) => name.includes("% of TDP")), names.join("\n"));
    assert.ok(pressed.includes("false"));
    assert.equal(other.url(), page.url());
  });
});
