// Logs that are dropped on the page: on their way in, as devices, cancelled, and what is none.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { launch, settled, visiting } from "./support/browser.mjs";
import { generate, makeFolder, Program, removeFolder, until } from "./support/program.mjs";

let browser;
let folder;
let program;

before(async () => {
  browser = await launch();
  folder = makeFolder();
  const log = generate(join(folder, "mine.txt"), { scenario: "idle", rows: 400, start: "2026-03-02 18:00:00" });
  program = await Program.start({ logs: [log], data: join(folder, "data") });
  await program.holds(400);
});
after(async () => {
  await program.stop();
  await browser.close();
  removeFolder(folder);
});

/** Drags files over the page and lets go, as a desktop does. */
async function drop(page, files) {
  const transfer = await page.evaluateHandle((list) => {
    const transfer = new DataTransfer();
    for (const { name, text } of list) {
      const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
      transfer.items.add(new File([bytes], name, { type: "text/plain" }));
    }
    return transfer;
  }, files);
  await page.dispatchEvent("main", "dragenter", { dataTransfer: transfer });
  await page.locator(".drop_over").waitFor();
  await page.dispatchEvent("main", "dragover", { dataTransfer: transfer });
  await page.dispatchEvent("main", "drop", { dataTransfer: transfer });
  assert.equal(await page.locator(".drop_over").count(), 0);
}

const panel = (page) => page.locator(".panel.corner");

test("a dropped log becomes a device, and a file that is no log says so", async () => {
  const old = generate(join(folder, "holiday.txt"), { scenario: "gaming,restarts", rows: 9000, columns: "amd", start: "2024-07-01 09:00:00" });
  const files = [
    { name: "holiday.txt", text: readFileSync(old, "latin1") },
    { name: "README.md", text: "# gpulse\n\nFrom a GPU-Z log to a live dashboard.\n" },
  ];
  await visiting(browser, program.url, {}, "dropped log", async (page) => {
    await settled(page);
    const before = await page.locator(".device_picker").textContent();
    await page.evaluate(() => {
      window.progress = [];
      new MutationObserver(() => {
        const bar = document.querySelector("[role=progressbar]");
        if (bar) window.progress.push(Number(bar.getAttribute("aria-valuenow")));
      }).observe(document.body, { subtree: true, childList: true, attributes: true });
    });
    await drop(page, files);
    await panel(page).getByText("README.md is no GPU-Z log").waitFor();
    const text = await panel(page).innerText();
    assert.match(text, /holiday\.txt\s+done · open\s+9.000 rows in \d+ sessions · 0 set aside/);
    assert.match(text, /It begins with # gpulse\. A GPU-Z log begins with Date , GPU Clock \[MHz\] , …\. Nothing was read\./);
    const progress = await page.evaluate(() => window.progress);
    assert.ok(progress.length > 0, "its progress was shown");
    assert.ok(progress.every((p) => p >= 0 && p <= 100));
    assert.equal(await page.locator(".device_picker").textContent(), before, "the page behind stays");

    await panel(page).getByRole("button", { name: "open" }).click();
    await page.locator("[aria-label='Device: rig / holiday']").waitFor();
    await page.waitForURL(/gpu=holiday/);
    await settled(page);
    await page.keyboard.press("0");
    const device = (await program.get("devices")).find((d) => d.gpu === "holiday");
    assert.equal(device.rows, 9000);
    assert.equal(device.state, "ended");
    await page.waitForFunction(() => document.querySelector(".rail dl.facts").innerText.includes("9\u202f000"));
    await page.locator(".live_state").getByText("ended 1 Jul 2024", { exact: true }).waitFor();
    await page.keyboard.press("Escape");
    await panel(page).waitFor({ state: "detached" });

    // Back to the other by the picker.
    await page.keyboard.press("d");
    await page.getByRole("option").filter({ hasText: "rig / mine" }).click();
    await page.waitForURL(/gpu=mine/);
    await settled(page);
  });
});

test("a file chosen with o is cancelled, and nothing of it is kept", async () => {
  const large = join(folder, "large.txt");
  const part = readFileSync(generate(join(folder, "part.txt"), { scenario: "gaming", rows: 30_000, start: "2022-01-01 00:00:00" }), "latin1");
  // Many times the same day: a log that takes a moment to be read.
  writeFileSync(large, part.repeat(6), "latin1");
  await visiting(browser, program.url, {}, "cancelled log", async (page) => {
    await settled(page);
    const chosen = page.waitForEvent("filechooser");
    // The browser is told to hand its file dialog over; once it answers something else, it has heard.
    await page.evaluate(() => document.readyState);
    await page.keyboard.press("o");
    const chooser = await chosen;
    assert.ok(chooser.isMultiple());
    await chooser.setFiles(large);
    await panel(page).getByRole("progressbar").waitFor();
    await panel(page).getByRole("button", { name: "Cancel the rest" }).click();
    await panel(page).getByText("cancelled").waitFor();
    await until("its rows are gone", async () => (await program.get("devices")).every((d) => d.gpu !== "large" || d.rows === 0));
    await page.waitForFunction(() => !document.querySelector(".panel.corner").innerText.includes("reading"));
    await panel(page).getByRole("button", { name: "Close" }).click();
    await panel(page).waitFor({ state: "detached" });
  });
});

test("a dropped folder or nothing is no error, and text that is dragged is left alone", async () => {
  await visiting(browser, program.url, {}, "dragged text", async (page) => {
    await settled(page);
    const text = await page.evaluateHandle(() => {
      const transfer = new DataTransfer();
      transfer.setData("text/plain", "hello");
      return transfer;
    });
    await page.dispatchEvent("main", "dragenter", { dataTransfer: text });
    await page.dispatchEvent("main", "drop", { dataTransfer: text });
    assert.equal(await page.locator(".drop_over").count(), 0);
    assert.equal(await panel(page).count(), 0);
  });
});
