// A log that grows while the page is open: rows arrive, are held, fire alerts, stop, and the program
// goes away and comes back.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { join } from "node:path";
import { launch, settled, visit, visiting } from "./support/browser.mjs";
import { GrowingLog } from "./support/growing_log.mjs";
import { says } from "./support/numbers.mjs";
import { makeDesktop, makeFolder, Program, removeFolder } from "./support/program.mjs";

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

/** A program that follows a growing log under a name of the test's own. */
async function followed(name, options) {
  const log = new GrowingLog(join(folder, name + ".txt"), options).write();
  const program = await Program.start({ logs: [log.path], data: join(folder, name + "-data") });
  await program.holds(log.rows);
  return { log, program };
}

const coreTile = (page) => page.locator(".tile").filter({ has: page.getByText("GPU core", { exact: true }) });
const core = (page) => coreTile(page).locator(".tile_value");
const showsCore = (page, text) => page.waitForFunction((wanted) =>
  [...document.querySelectorAll(".tile")].some((tile) => tile.querySelector(".tile_name").textContent === "GPU core" &&
    tile.querySelector(".tile_value").textContent === wanted), text, { polling: 20 });

/** Every row is counted, and each once; within the second in which statistics follow. */
const countsRows = (page, rows) => page.waitForFunction((text) => {
  const fact = [...document.querySelectorAll(".rail dl.facts div")].find((div) => div.querySelector("dt").textContent === "rows read");
  return fact.querySelector("dd").textContent === text;
}, rows.toLocaleString("en").replace(",", "\u202f"));

test("rows arrive: tile, table, name, age, and within a second", async () => {
  const { log, program } = await followed("arrive");
  try {
    await visiting(browser, program.url, {}, "rows arrive", async (page) => {
      await settled(page);
      const row = page.locator("[data-topic=temperature] tbody tr").filter({ has: page.getByText("GPU core", { exact: true }) });
      // Written down in the page itself, at the change of the text: nothing of the test's way counts.
      await page.evaluate(() => {
        const tile = [...document.querySelectorAll(".tile")].find((t) => t.querySelector(".tile_name").textContent === "GPU core");
        window.seen = new Map();
        new MutationObserver(() => {
          const text = tile.querySelector(".tile_value").textContent;
          if (!window.seen.has(text)) window.seen.set(text, Date.now());
        }).observe(tile, { subtree: true, childList: true, characterData: true });
      });
      const written = new Map();
      for (let i = 0; i < 40; i++) {
        const temperature = 40 + i / 10;
        written.set(temperature.toFixed(1), log.append(temperature));
        await page.waitForTimeout(60);
      }
      await showsCore(page, "43.9");
      const seen = new Map(await page.evaluate(() => [...window.seen]));
      const missing = [...written.keys()].filter((text) => !seen.has(text));
      // Rows that come within one frame may be shown as one; they must not be many.
      assert.ok(missing.length <= 8, `not shown: ${missing}`);
      const waits = [...written].filter(([text]) => seen.has(text)).map(([text, at]) => seen.get(text) - at).sort((a, b) => a - b);
      const p95 = waits[Math.floor(waits.length * 0.95)];
      console.log(`a row is on the page after ${waits[waits.length >> 1]} ms (median), ${p95} ms (p95); goal 150 ms at p95`);
      assert.ok(p95 < 1000, `p95 is ${p95} ms`);

      assert.equal(await row.locator("td.now").textContent(), "43.9");
      assert.match(await page.locator(".live_state").textContent(), /^live · \d+\.\d s$/);
      assert.equal(await page.locator(".axis_heads b").textContent(), "now");
      await page.waitForFunction(() => document.querySelector("[data-topic=temperature]").getAttribute("aria-label").includes("last 43.9"));
      const stats = await program.get("stats");
      const wanted = stats.metrics.find((m) => m.metric === "gpu_temperature");
      const cells = await row.locator("td").allTextContents();
      [wanted.min.value, wanted.mean, wanted.p95, wanted.max.value].forEach((v, i) => assert.ok(says(cells[i + 1], v), `${cells}: ${v}`));
      await countsRows(page, log.rows);
    });
  } finally {
    await program.stop();
  }
});

/** Another client of the program's stream: `until(words)` resolves once they have come. */
async function stream(program) {
  const aborter = new AbortController();
  const answer = await fetch(new URL("api/v1/live", program.url), { signal: aborter.signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const until = async (words) => {
    while (!text.includes(words)) text += (await reader.read()).value;
  };
  return { until, close: () => aborter.abort() };
}

test("a row that comes after the page's first answers and before its stream is shown", async () => {
  const { log, program } = await followed("between");
  let letGo;
  const held = new Promise((resolve) => (letGo = resolve));
  const prepare = (page) => page.route("**/api/v1/live", async (route) => {
    await held;
    await route.continue();
  });
  const other = await stream(program);
  try {
    await visiting(browser, program.url, { prepare }, "between", async (page) => {
      await settled(page);
      log.append(77.7);
      await other.until("77.7");
      letGo();
      await showsCore(page, "77.7");
      // Not by the news that the log went stale, of which there is none before ten seconds.
      assert.match(await page.locator(".live_state").textContent(), /^live/);
      await countsRows(page, log.rows);
      const drawn = await page.locator("[data-topic=temperature] tbody tr").filter({ has: page.getByText("GPU core", { exact: true }) }).locator("td").last().textContent();
      assert.equal(drawn, "77.7");
    });
  } finally {
    letGo();
    other.close();
    await program.stop();
  }
});

test("Space holds the view, and lets it go on", async () => {
  const { log, program } = await followed("hold");
  try {
    await visiting(browser, program.url, {}, "hold", async (page) => {
      await settled(page);
      log.append(41);
      await showsCore(page, "41.0");
      // The chart follows the tile a frame later.
      await page.waitForFunction(() =>
        document.querySelector("[data-topic=temperature]").getAttribute("aria-label").includes("last 41.0"));
      const name = await page.locator("[data-topic=temperature]").getAttribute("aria-label");
      await page.keyboard.press("Space");
      for (let i = 0; i < 3; i++) log.append(50 + i);
      await page.waitForFunction(() => document.querySelector(".live_state").textContent.endsWith("held · 3 new rows"));
      assert.equal(await core(page).textContent(), "41.0");
      assert.equal(await page.locator("[data-topic=temperature]").getAttribute("aria-label"), name);
      await page.keyboard.press("Space");
      await showsCore(page, "52.0");
      await page.waitForFunction(() => document.querySelector(".live_state").textContent.startsWith("live"));
    });
  } finally {
    await program.stop();
  }
});

test("an alert fires, is told everywhere, and ends", async () => {
  const { log, program } = await followed("alert", { end: Date.now() - 120_000, scenario: "idle" });
  try {
    await visiting(browser, program.url, {}, "alert", async (page) => {
      await settled(page);
      assert.equal(await page.title(), "rig / alert · gpulse");
      for (let i = 0; i < 14; i++) log.append(90 + i / 10);
      await page.waitForFunction(() => document.title === "◆ 91 °C GPU core");
      await page.waitForFunction(() => document.querySelector(".answer_sentence").textContent.startsWith("Yes, GPU 91.3 °C, its rule is 85"));
      assert.match(await coreTile(page).getAttribute("class"), /\bover\b/);
      assert.match(await page.locator(".rail_part").first().innerText(), /1 firing[\s\S]*GPU temperature > 85 °C[\s\S]*firing/);
      assert.equal(await page.locator(".axis_mark").count(), 1);
      log.append(83.5);
      log.append(70);
      await page.waitForFunction(() => document.title === "rig / alert · gpulse");
      await page.waitForFunction(() => document.querySelector(".answer_sentence").textContent.startsWith("Not now. GPU reached 91.3 °C"));
      assert.match(await page.locator(".rail_part").first().innerText(), /none firing[\s\S]*peak 91.3 °C · ended/);
      const [alert] = (await program.get("alerts")).filter((a) => a.metric === "gpu_temperature");
      assert.equal(alert.state, "ended");

      // A click shows it, with air around it, and the cursor on its peak.
      await page.locator(".rail_part").first().locator(".rail_item").first().click();
      await page.waitForURL(/from=/);
      const link = new URLSearchParams(new URL(page.url()).hash.slice(1));
      assert.ok(Date.parse(link.get("from")) < Date.parse(alert.began) && Date.parse(link.get("to")) > Date.parse(alert.ended));
      await page.locator(".axis_cursor").waitFor();
      assert.equal(await page.locator(".axis_cursor").textContent(), alert.peak_at.slice(11, 19));
    });
  } finally {
    await program.stop();
  }
});

// They wait for silence, which costs no time to share.
describe("silence", { concurrency: true }, () => {
  test("a log that stops is stale, a program that stops is not connected, and both come back", async () => {
    const started = await followed("stops");
    const { log } = started;
    let { program } = started;
    const lost = [/ERR_CONNECTION_REFUSED/, /ERR_INCOMPLETE_CHUNKED_ENCODING/, /ERR_CONNECTION_RESET/, /ERR_EMPTY_RESPONSE/];
    try {
      await visiting(browser, program.url, { allowed: lost }, "stale and lost", async (page) => {
        await settled(page);
        log.append(44.4);
        await showsCore(page, "44.4");
        const clock = new Date(log.time).toISOString().slice(11, 19);
        // What is asked once the log is stale is answered late: after the next row, of whose news it must not be the last.
        let letGo;
        const late = new Promise((resolve) => (letGo = resolve));
        const facts = /\/api\/v1\/(query|answers)\?/;
        const answered = [];
        const answer = async (route) => {
          const response = await route.fetch();
          await late;
          await route.fulfill({ response });
        };
        await page.route(facts, (route) => void answered.push(answer(route)));
        await page.waitForFunction(() => /^stale · \d\d s$/.test(document.querySelector(".live_state").textContent), null, { timeout: 25_000 });
        await page.waitForFunction(() => document.querySelector(".answer_sentence").textContent === "Not known now. Last seen 44.4 °C");
        assert.equal(await page.locator(".answer_evidence").first().textContent(),
          `at ${clock}. Is GPU-Z still open, with Log to file ticked?`);
        assert.equal(await page.locator(".silence.stale").innerText(), `no row since ${clock}`);
        log.append(45.5);
        await page.waitForFunction(() => document.querySelector(".live_state").textContent.startsWith("live"));
        letGo();
        await Promise.all(answered);
        await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
        await page.waitForFunction(() => !document.querySelector(".answer_sentence").textContent.includes("Not known"));
        await page.unroute(facts);

        await program.stop();
        await page.waitForFunction(() => /^not connected · (again in \d s|trying)$/.test(document.querySelector(".live_state").textContent));
        assert.equal(await page.locator(".answer_sentence").first().textContent(), "Not known now. Last heard 45.5 °C");
        assert.ok(await page.locator(".score.lost").count(), "lines at half strength");
        // Cursor and zoom need nobody.
        const box = await page.locator(".overlay").boundingBox();
        await page.mouse.move(box.x + 100, box.y + 20);
        await page.locator(".axis_cursor").waitFor();
        await page.mouse.move(box.x + 100, box.y - 300);

        // The log goes on without the program; what it missed is read when it is back.
        for (let i = 0; i < 5; i++) log.append(60 + i);
        program = await Program.start({ logs: [log.path], data: join(folder, "stops-data"), port: program.port });
        await program.holds(log.rows);
        log.append(66.6);
        await page.waitForFunction(() => document.querySelector(".live_state").textContent.startsWith("live"), null, { timeout: 20_000 });
        await showsCore(page, "66.6");
        await countsRows(page, log.rows);
      });
    } finally {
      await program.stop();
    }
  });

  test("a program that hangs is not connected either", async () => {
    const { log, program } = await followed("hangs");
    try {
      await visiting(browser, program.url, {}, "hangs", async (page) => {
        await settled(page);
        log.append(44.4);
        await showsCore(page, "44.4");
        // Neither rows nor an end of the connection: as when a PC falls asleep.
        program.child.kill("SIGSTOP");
        await page.waitForFunction(() => document.querySelector(".live_state").textContent.startsWith("not connected"), null, { timeout: 40_000 });
        assert.equal(await page.locator(".answer_sentence").first().textContent(), "Not known now. Last heard 44.4 °C");
        program.child.kill("SIGCONT");
        await page.waitForFunction(() => !document.querySelector(".live_state").textContent.startsWith("not connected"), null, { timeout: 20_000 });
        log.append(55.5);
        await showsCore(page, "55.5");
        await countsRows(page, log.rows);
      });
    } finally {
      program.child.kill("SIGCONT");
      await program.stop();
    }
  });
});

test("a log that does not exist yet: what to do, then its first rows", async () => {
  const log = new GrowingLog(join(folder, "not-yet.txt"), { rows: 90 });
  const program = await Program.start({ logs: [log.path], data: join(folder, "not-yet-data") });
  try {
    await visiting(browser, program.url, {}, "empty", async (page) => {
      await page.getByRole("heading", { name: "Turn on logging in GPU-Z" }).waitFor();
      await page.locator(".live_state").getByText("waiting for a log", { exact: true }).waitFor();
      assert.equal(await page.locator("figure").count(), 0);
      log.write();
      await settled(page);
      await page.waitForFunction(() => document.querySelector("[aria-label='Device: rig / not-yet']") !== null);
      log.append(47.7);
      await showsCore(page, "47.7");
    });
  } finally {
    await program.stop();
  }
});

test("no log is named: where to save one, then its first rows", async () => {
  const { desktop, environment } = makeDesktop(folder);
  const log = new GrowingLog(join(desktop, "GPU-Z Sensor Log.txt"), { rows: 90 });
  const program = await Program.start({ data: join(folder, "found"), more: ["--find"], environment });
  try {
    await visiting(browser, program.url, {}, "found", async (page) => {
      await page.getByText("Save it on the desktop").waitFor();
      await page.getByText(/[\\/]Desktop$/).waitFor();
      log.write();
      await settled(page);
      await page.waitForFunction(() => document.querySelector("[aria-label='Device: rig / gpu0']") !== null);
      log.append(47.7);
      await showsCore(page, "47.7");
    });
  } finally {
    await program.stop();
    rmSync(log.path, { force: true });
  }
});

test("two visitors see the same rows, and one that leaves takes nothing along", async () => {
  const { log, program } = await followed("two");
  const visitor = await visit(browser, program.url);
  try {
    await settled(visitor.page);
    const second = await visit(browser, program.url);
    await settled(second.page);
    log.append(48.8);
    await Promise.all([showsCore(visitor.page, "48.8"), showsCore(second.page, "48.8")]);
    await second.context.close();
    log.append(49.9);
    await showsCore(visitor.page, "49.9");
    assert.deepEqual([...visitor.complaints, ...second.complaints], []);
  } finally {
    await visitor.context.close();
    await program.stop();
  }
});
