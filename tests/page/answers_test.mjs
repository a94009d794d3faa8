// The three answers on the page, against the raw log and, for made-up logs, what was put into them.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { launch, settled, visiting } from "./support/browser.mjs";
import { generate, makeFolder, Program, realLog, removeFolder, unlessThere } from "./support/program.mjs";
import { clockOf, heldBack, loadSteps, RawLog, tooHot } from "./support/raw_log.mjs";

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

/** Opens the whole log on the page, and hands over the page's three answers. */
async function answersOf(path, check) {
  const log = new RawLog(path);
  const program = await Program.start({ logs: [path], data: join(folder, "data-" + basename(path)), zone: "Europe/Berlin" });
  try {
    await program.holds(log.rows.length);
    await visiting(browser, program.url + "#range=all", {}, "answers of " + basename(path), async (page) => {
      await settled(page);
      const answers = await page.$$eval(".answer", (list) => list.map((one) => ({
        question: one.querySelector(".answer_question").textContent,
        sentence: one.querySelector(".answer_sentence").textContent,
        evidence: one.querySelector(".answer_evidence").textContent,
        marked: one.querySelector("svg") !== null,
      })));
      assert.deepEqual(answers.map((a) => a.question), ["Was it too hot?", "Was it held back?", "What changed?"]);
      checkHeat(answers[0], log);
      checkLimits(answers[1], log);
      checkChange(answers[2], log);
      await check?.(answers, log, page);
    });
  } finally {
    await program.stop();
  }
}

/** A log of several days tells the date with the clock. */
const withoutDate = (sentence) => sentence.replace(/ on \d+ \w{3}(?= at )/, "");

function checkHeat(answer, log) {
  const expected = tooHot(log);
  assert.equal(withoutDate(answer.sentence), expected.sentence);
  assert.equal(answer.marked, expected.mark, "marked where it is near or over");
}

function checkLimits(answer, log) {
  const expected = heldBack(log);
  if (!expected) return assert.equal(answer.sentence, "This log cannot say");
  if (expected.share === 0) return assert.match(answer.sentence, /^No, not once in /);
  const found = /^Yes, (\d+) % of the time, (mostly )?by (.+)$/.exec(answer.sentence);
  assert.ok(found, answer.sentence);
  // Rows here, seconds there: a row may stand for two.
  assert.ok(Math.abs(found[1] / 100 - expected.share) <= 0.01, `${answer.sentence} of ${expected.share}`);
  assert.equal(found[2] === undefined, expected.only, answer.sentence);
  assert.equal(found[3], expected.reason);
  assert.equal(answer.marked, true);
}

function checkChange(answer, log) {
  const steps = loadSteps(log);
  const largest = Math.max(0, ...steps.map((s) => Math.abs(s.after - s.before)));
  const found = /^Load (rose|fell) (\d+) → (\d+) % at (\d\d:\d\d:\d\d)$/.exec(withoutDate(answer.sentence));
  if (!found) return assert.ok(largest < 25, `"${answer.sentence}", but load has a step of ${largest}`);
  const [, verb, from, to, clock] = found;
  const size = Math.abs(to - from);
  assert.equal(verb, Number(to) > Number(from) ? "rose" : "fell");
  assert.ok(size >= 20 && size >= largest / 2 - 1, `${answer.sentence}, the largest is ${largest}`);
  const here = steps.filter((s) => s.clock === clock);
  assert.ok(here.some((s) => Math.abs(s.before - from) <= 1 && Math.abs(s.after - to) <= 1),
    `${answer.sentence}, but the log has ${JSON.stringify(here)}`);
}

const sentencesOfReal = {
  "nvidia-2023.txt": ["No, but CPU reached 82.0 °C at 11:23:07", "No, not once in 1 h 20 min", "Load fell 99 → 29 % at 11:23:45"],
  "amd-2020-restarts.txt": ["No, hot spot stayed 10.0 °C under its 100 °C rule", "This log cannot say",
    "Load rose 2 → 97 % on 16 Mar at 17:18:19"],
  "legacy-2017-lf.txt": ["No, GPU stayed 34.0 °C under its 85 °C rule", "This log cannot say",
    "Nothing since logging began at 15:37:57"],
};

describe("answers on real logs", () => {
  for (const [name, sentences] of Object.entries(sentencesOfReal)) {
    const path = realLog(name);
    test(name, { skip: unlessThere(path) }, () => answersOf(path, (answers) => {
      assert.deepEqual(answers.map((a) => a.sentence), sentences);
    }));
  }
});

/** A made-up log of an evening long ago, with what was put into it. */
function madeUp(name, options) {
  const path = generate(join(folder, name + ".txt"), { start: "2026-03-02 20:00:00", ...options, labels: join(folder, name + ".json") });
  return { path, made: JSON.parse(readFileSync(join(folder, name + ".json"), "utf8")) };
}

describe("answers on made-up logs", () => {
  test("held back by power", async () => {
    const { path, made } = madeUp("power", { scenario: "power-throttle", rows: 2400, seed: 11 });
    assert.equal(made.labels[0].kind, "power_limit");
    await answersOf(path, (answers) => {
      const limited = Object.entries(made.facts.perfcap_rows).filter(([bits]) => bits & 47).reduce((sum, [, rows]) => sum + rows, 0);
      assert.equal(answers[1].sentence, `Yes, ${Math.round((100 * limited) / made.facts.rows)} % of the time, mostly by power`);
    });
  });

  test("held back by heat, and nearly too hot", async () => {
    const { path, made } = madeUp("heat", { scenario: "thermal-throttle", rows: 3000, seed: 4 });
    const { max } = made.facts.metrics.gpu_temperature;
    assert.equal(made.labels[0].kind, "thermal_limit");
    await answersOf(path, (answers) => {
      assert.equal(answers[0].sentence, `No, GPU stayed ${(85 - max).toFixed(1)} °C under its 85 °C rule`);
      assert.match(answers[1].sentence, /^Yes, \d+ % of the time, (mostly )?by heat$/);
    });
  });

  test("nothing but the desktop", async () => {
    const { path } = madeUp("idle", { scenario: "idle", rows: 900, seed: 2, columns: "amd" });
    await answersOf(path, (answers) => {
      assert.equal(answers[1].sentence, "This log cannot say");
      assert.equal(answers[0].marked, false);
    });
  });

  test("a click on what changed shows that moment", async () => {
    const { path } = madeUp("step", { scenario: "idle,gaming", rows: 2000, seed: 5 });
    await answersOf(path, async (answers, log, page) => {
      const clock = /at (\d\d:\d\d:\d\d)$/.exec(answers[2].sentence)?.[1];
      assert.ok(clock, answers[2].sentence);
      await page.locator("button.answer_body").click();
      await page.waitForURL(/from=/);
      const link = new URLSearchParams(new URL(page.url()).hash.slice(1));
      const [from, to] = [Date.parse(link.get("from")), Date.parse(link.get("to"))];
      // The page shows Berlin's clock, an hour ahead of UTC in March.
      const step = log.rows.find((row) => clockOf(row.time) === clock).time - 3_600_000;
      assert.ok(from < step && step < to && to - from <= 360_000, `${clock} not in ${page.url()}`);
    });
  });
});
