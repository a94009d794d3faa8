// Debian's Chromium, and what every test of the page asks of it: no word on the console, no breach of
// the content security policy, a picture of what went wrong.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";

const pictures = resolve(process.env.GPULSE_PAGE_FAILURES ?? "build/page-failures");

export const sizes = {
  wide: { width: 1600, height: 1000 },
  narrow: { width: 900, height: 1000 },
  phone: { width: 390, height: 844 },
};

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium" });
}

/** One visitor: a browser context of its own, with nothing stored and nothing cached. */
export async function visit(browser, address, { size = "wide", theme = "dark", allowed = [], prepare } = {}) {
  const phone = size === "phone";
  const context = await browser.newContext({
    viewport: sizes[size], colorScheme: theme, hasTouch: phone, isMobile: phone, acceptDownloads: true,
    // Readers elsewhere: the page must tell the log's clock, not the browser's.
    timezoneId: "America/New_York", locale: "en-US",
  });
  const page = await context.newPage();
  const complaints = [];
  const complain = (text) => {
    if (!allowed.some((pattern) => pattern.test(text))) complaints.push(text);
  };
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complain(`console ${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complain(`uncaught: ${error.stack ?? error}`));
  await page.exposeFunction("reportBreach", (text) => complain(`security policy: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (e) => window.reportBreach(`${e.violatedDirective} ${e.blockedURI}`));
  });
  if (prepare) await prepare(page, context);
  await page.goto(address);
  return { page, context, complaints };
}

/**
 * Resolves when the browser has nothing to do, as where somebody opens a page: a new tab keeps all its
 * processes busy for a while. Nothing announces that, so their CPU time is looked at. What never rests
 * (another page that is live) is not waited for longer than 5 s.
 */
export async function atRest(browser) {
  const session = await browser.newBrowserCDPSession();
  const spent = async () => {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
  };
  const slice = 100;
  let before = await spent();
  for (let waited = 0; waited < 5000; waited += slice) {
    await new Promise((resolve) => setTimeout(resolve, slice));
    const after = await spent();
    if (Math.abs(after - before) * 1000 < slice / 20) break;
    before = after;
  }
  await session.detach();
}

/** Runs `steps` for a visitor; takes a picture where they fail, and holds the page to its silence. */
export async function visiting(browser, address, options, name, steps) {
  const visitor = await visit(browser, address, options);
  try {
    await steps(visitor.page, visitor.context);
    assert.deepEqual(visitor.complaints, []);
  } catch (error) {
    mkdirSync(pictures, { recursive: true });
    const path = join(pictures, name.replace(/[^a-z0-9]+/gi, "-").slice(0, 80) + ".png");
    await visitor.page.screenshot({ path }).then(() => console.log(`picture: ${path}`), () => {});
    if (visitor.complaints.length) console.log(visitor.complaints.join("\n"));
    throw error;
  } finally {
    await visitor.context.close();
  }
}

/** Resolves when the charts, the words and the tables of the range are there, and none of another range. */
export async function settled(page) {
  await page.waitForFunction(() => {
    const sentences = [...document.querySelectorAll(".answer_sentence")].map((e) => e.textContent);
    const names = [...document.querySelectorAll("figure.track")].map((e) => e.getAttribute("aria-label"));
    return document.getElementById("page").ariaBusy !== "true" && sentences.length === 3 && !sentences.includes("Not known yet") && names.length > 0 &&
      names.some((name) => name.includes(": ")) && document.querySelectorAll("figure.track canvas").length > 0 &&
      document.querySelector(".rail dl.facts, .bottom_bar") !== null;
  });
}
