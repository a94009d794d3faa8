// A phone's fingers on the charts: real touches, through the browser's own recognition of gestures.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { launch, settled, visiting } from "./support/browser.mjs";
import { generate, makeFolder, Program, removeFolder } from "./support/program.mjs";

const rows = 3600;
let browser;
let folder;
let program;

before(async () => {
  browser = await launch();
  folder = makeFolder();
  const log = generate(join(folder, "touched.txt"), { scenario: "mixed", rows, start: "2026-03-02 18:00:00" });
  program = await Program.start({ logs: [log], data: join(folder, "data") });
  await program.holds(rows);
});
after(async () => {
  await program.stop();
  await browser.close();
  removeFolder(folder);
});

/** A phone's page scrolled to its charts, and its fingers. `put([x, y], …)` says where all that are down now stand. */
function touching(name, steps) {
  return visiting(browser, program.url + "#range=all", { size: "phone" }, name, async (page, context) => {
    await settled(page);
    await page.evaluate(() => scrollTo(0, document.querySelector(".overlay").getBoundingClientRect().top));
    const session = await context.newCDPSession(page);
    let down = 0;
    const put = async (...places) => {
      const type = places.length > down ? "touchStart" : places.length < down ? "touchEnd" : "touchMove";
      down = places.length;
      await session.send("Input.dispatchTouchEvent", { type, touchPoints: places.map(([x, y], id) => ({ x, y, id })) });
    };
    await steps(page, put, await page.locator(".overlay").boundingBox(), session);
  });
}

/** The instants in view, as the address bar has them once the charts are loaded. */
async function viewOf(page) {
  await page.waitForURL(/from=/);
  await settled(page);
  const link = new URLSearchParams(new URL(page.url()).hash.slice(1));
  return { from: Date.parse(link.get("from")), to: Date.parse(link.get("to")) };
}

const steps = (from, to, count = 8) => Array.from({ length: count }, (_, i) => from + ((to - from) * (i + 1)) / count);
/** Where the charts stand on the screen, and how large. The words above them may take another line meanwhile. */
const still = (page) => page.evaluate(() => [document.querySelector(".overlay").getBoundingClientRect().top, visualViewport.scale]);

/** Taps a chart where it now stands: on the bare plot, once the page has come to rest. */
async function tap(page, times = 1) {
  await page.waitForFunction(() => new Promise((done) => {
    const before = scrollY;
    requestAnimationFrame(() => requestAnimationFrame(() => done(scrollY === before)));
  }));
  const plot = await page.locator("figure[data-topic=power] .plot").boundingBox();
  for (let i = 0; i < times; i++) await page.touchscreen.tap(200, plot.y + plot.height / 2);
}

test("a swipe over the charts scrolls the page, and is no cursor", () => touching("swipe", async (page, put, box) => {
  const before = await page.evaluate(() => scrollY);
  await put([200, box.y + 500]);
  for (const y of steps(box.y + 500, box.y + 200)) await put([200, y]);
  await put();
  await page.waitForFunction((y) => scrollY > y + 150, before);
  assert.equal(await page.locator(".cursor").count(), 0);
}));

test("press and hold is the cursor: it follows the finger, and the page stands still", () => touching("hold", async (page, put, box) => {
  const before = await still(page);
  await put([100, box.y + 80]);
  await page.locator(".axis_cursor").waitFor();
  for (const step of steps(0, 1)) await put([100 + step * 140, box.y + 80 + step * 200]);
  await page.waitForFunction((x) => Math.abs(document.querySelector(".cursor").getBoundingClientRect().left - x) < 3, 240);
  assert.deepEqual(await still(page), before);
  await put();
  assert.equal(await page.locator(".axis_cursor").count(), 1, "it stays to be read");
  // A swipe goes on reading, a tap ends it.
  await put([200, box.y + 400]);
  for (const y of steps(box.y + 400, box.y + 250)) await put([200, y]);
  await put();
  await page.waitForFunction((y) => document.querySelector(".overlay").getBoundingClientRect().top < y - 50, before[0]);
  assert.equal(await page.locator(".axis_cursor").count(), 1);
  await tap(page);
  await page.locator(".axis_cursor").waitFor({ state: "detached" });
}));

test("two fingers spread and close the time under them, while they move", () => touching("pinch", async (page, put, box) => {
  const before = await still(page);
  const device = await program.holds(rows);
  const [first, last] = [Date.parse(device.first), Date.parse(device.last)];
  const timeAt = (view, x) => view.from + ((x - box.x) / box.width) * (view.to - view.from);
  const [left, right] = [150, 210];
  await put([left, box.y + 100]);
  await put([left, box.y + 100], [right, box.y + 140]);
  for (const step of steps(0, 1)) await put([left - 70 * step, box.y + 100], [right + 70 * step, box.y + 140]);
  // Drawn under the moving fingers, not only when they let go.
  const whole = `${new Date(first).toISOString().slice(11, 19)} to`;
  await page.waitForFunction((text) => !document.querySelector("[data-topic=temperature]").getAttribute("aria-label").includes(text), whole);
  await put([right + 70, box.y + 140]);
  await put();
  const near = await viewOf(page);
  for (const [x, was] of [[left - 70, left], [right + 70, right]]) {
    const [now, then] = [timeAt(near, x), timeAt({ from: first, to: last }, was)];
    assert.ok(Math.abs(now - then) < 2 * (last - first) / box.width, `under x ${x}: ${now - then} ms off`);
  }
  assert.deepEqual(await still(page), before, "the page itself is neither zoomed nor scrolled");
  assert.equal(await page.locator(".cursor").count(), 0);

  await put([100, box.y + 100], [280, box.y + 100]);
  for (const step of steps(0, 1)) await put([100 + 60 * step, box.y + 100], [280 - 60 * step, box.y + 100]);
  await put();
  await page.waitForFunction((width) => {
    const link = new URLSearchParams(location.hash.slice(1));
    return Date.parse(link.get("to")) - Date.parse(link.get("from")) > 2 * width;
  }, near.to - near.from);
  // Backspace's way back is a double tap here: one step for each pinch.
  await tap(page, 2);
  await page.waitForURL((url) => url.hash.includes(new Date(near.from).toISOString()));
}));

test("no legend hides a series, with five of them in a phone's width", () => touching("legends", async (page) => {
  const legends = await page.$$eval(".legend", (list) => list.map((legend) => {
    const box = legend.parentElement.getBoundingClientRect();
    const items = [...legend.querySelectorAll(".legend_item")].map((item) => ({
      text: item.textContent, whole: item.getBoundingClientRect(), cut: [...item.children].some((e) => e.scrollWidth > e.clientWidth + 1),
    }));
    return {
      topic: legend.closest("figure").dataset.topic, count: items.length,
      hidden: items.filter(({ whole, cut }) => cut || whole.right > box.right + 1 || whole.bottom > box.bottom + 1).map(({ text }) => text),
    };
  }));
  assert.deepEqual(legends.flatMap(({ topic, hidden }) => hidden.map((text) => `${topic}: ${text}`)), []);
  assert.equal(legends.find(({ topic }) => topic === "power").count, 5);
}));
