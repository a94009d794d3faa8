// Every state that the page has words or colours for, in both themes: whatever a log does while somebody
// looks, all of it can be read.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { launch, settled, sizes, visiting } from "./support/browser.mjs";
import { checkFaults } from "./support/faults.mjs";
import { GrowingLog } from "./support/growing_log.mjs";
import { makeFolder, Program, removeFolder } from "./support/program.mjs";

let browser;
let folder;
let log;
let program;

before(async () => {
  browser = await launch();
  folder = makeFolder();
  log = new GrowingLog(join(folder, "states.txt"), { scenario: "power-throttle,gaps", rows: 900, end: Date.now() - 60_000 }).write();
  program = await Program.start({ logs: [log.path], data: join(folder, "data") });
  await program.holds(log.rows);
});
after(async () => {
  await program.stop();
  await browser.close();
  removeFolder(folder);
});

/** Checks the page, or what `within` selects, in the theme it has and in the other, and puts the theme back. */
async function checkThemes(page, where, within) {
  for (let i = 0; i < 2; i++) {
    await checkFaults(page, `${where}, ${await page.evaluate(() => document.documentElement.dataset.theme)}`, within);
    // The key of the theme would not be heard behind an open menu.
    await page.evaluate(() => document.querySelector("button[aria-label$=' theme']").click());
  }
}

const coreIs = (page, state) =>
  page.locator(`.tile.${state}`).filter({ has: page.getByText("GPU core", { exact: true }) }).waitFor();

async function checkPointed(page) {
  const things = [
    ".device_picker .control", ".segments button[aria-pressed=false]", ".segments button[aria-pressed=true]", ".icon_button",
    "button.answer_body", ".rail_item", "button.series", ".off button.series", ".windows button",
  ];
  for (const thing of things) {
    await page.locator(thing).first().hover();
    await checkThemes(page, `pointed at ${thing}`, thing);
  }
  for (const [key, menu] of [["d", ".device_menu"], ["s", ".menu"]]) {
    await page.keyboard.press(key);
    await page.locator(`${menu} .menu_item`).first().hover();
    await checkThemes(page, `pointed at ${menu}`, menu);
    await page.keyboard.press("Escape");
    await page.locator(menu).waitFor({ state: "detached" });
  }
}

/** A file that is no log, over the page and then let go. */
async function checkDrop(page) {
  const dataTransfer = await page.evaluateHandle(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(["# none\n"], "README.md", { type: "text/plain" }));
    return transfer;
  });
  await page.dispatchEvent("main", "dragenter", { dataTransfer });
  await page.locator(".drop_over").waitFor();
  await checkThemes(page, "a file over the page", ".drop_over");
  await page.dispatchEvent("main", "drop", { dataTransfer });
  await page.locator(".failed_sentence").waitFor();
  await checkThemes(page, "a file that is no log", ".panel");
  await page.keyboard.press("Escape");
  await page.locator(".panel").waitFor({ state: "detached" });
}

/** A range that the server could not read. */
async function checkFailure(page) {
  const asked = "**/api/v1/stats?*";
  await page.route(asked, (route) => route.fulfill({ status: 500, json: { error: { kind: "operation", message: "no space left" } } }));
  await page.keyboard.press("2");
  await page.locator(".failure").waitFor();
  await checkThemes(page, "a range that could not be read");
  await page.unroute(asked);
  await page.keyboard.press("7");
  await page.locator(".failure").waitFor({ state: "detached" });
}

test("a place that rows are sent to, and that is away", async () => {
  const to = "kafka://127.0.0.1:9/gpu-metrics";  // nobody listens there
  const sending = await Program.start({ logs: [log.path], data: join(folder, "sending"), more: ["--to", to] });
  try {
    await visiting(browser, sending.url, {}, "outlets", async (page) => {
      await settled(page);
      const place = page.locator(".outlets li").filter({ hasText: to });
      await place.locator(".mark.warn").waitFor();
      assert.match(await place.textContent(), /away: .+\. Its rows wait\.no rows sent yet/);
      await checkThemes(page, "a place that is away");
      await page.setViewportSize(sizes.phone);
      await page.getByRole("button", { name: "sending waits" }).click();  // from the bar to the lists
      await place.waitFor();
      assert.ok(await place.evaluate((e) => e.getBoundingClientRect().bottom < innerHeight), "in sight");
    });
    const outlets = await (await fetch(sending.url + "api/v1/outlets")).json();
    assert.deepEqual(outlets.map((o) => [o.to, o.state, o.rows, o.last_taken]), [[to, "away", 0, null]]);
  } finally {
    await sending.stop();
  }
});

test("every state can be read, in both themes", async () => {
  const allowed = [/ERR_CONNECTION_REFUSED/, /ERR_INCOMPLETE_CHUNKED_ENCODING/, /ERR_CONNECTION_RESET/, /ERR_EMPTY_RESPONSE/, /status of 500/];
  await visiting(browser, program.url, { allowed }, "states", async (page) => {
    await settled(page);
    for (let i = 0; i < 14; i++) log.append(90);
    await coreIs(page, "over");
    await page.locator(".answer.over").waitFor();
    await page.locator(".axis_mark .mark.alert").waitFor();
    await checkThemes(page, "over a rule now");

    await page.keyboard.press("Space");
    await page.locator(".dot.held").waitFor();
    await checkThemes(page, "held", ".bar");
    await page.keyboard.press("Space");
    log.append(90);
    await page.locator(".dot.live").waitFor();

    log.append(83);
    await coreIs(page, "near");
    await page.locator(".tile_max.over").first().waitFor();
    await checkThemes(page, "near a rule");
    log.append(70);
    await coreIs(page, "ok");
    await page.locator(".answer.was_over").waitFor();
    await checkThemes(page, "over a rule before");

    await checkPointed(page);
    await checkDrop(page);
    await checkFailure(page);

    log.append(44.4);
    await page.locator(".live_state.stale").waitFor({ timeout: 25_000 });
    await page.locator(".answer.unknown").waitFor();
    await checkThemes(page, "stale");
    await program.stop();
    await page.locator(".live_state.lost").waitFor();
    await checkThemes(page, "not connected");
    assert.equal(await page.locator(".silence.lost").count(), 1);
  });
});
