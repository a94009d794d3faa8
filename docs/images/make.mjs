// Takes the pictures of docs/images/make.sh.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { launch, settled, visit } from "../../tests/page/support/browser.mjs";
import { generate, makeFolder, Program, removeFolder } from "../../tests/page/support/program.mjs";

const here = new URL(".", import.meta.url).pathname;
const folder = makeFolder();

// The sample of setup/run.sh, played as it plays it.
const log = generate(join(folder, "GPU-Z Sensor Log.txt"), {
  scenario: "idle,gaming,power-throttle,mixed,gaming", duration: "3h", seed: 7,
});
const program = await Program.start({
  logs: [log], data: join(folder, "data"), zone: "Europe/Berlin", more: ["--replay", "1", "--history", "2h", "--loop"],
});
const browser = await launch();

/** The page of gpulse.exe before there is a log, in a Windows whose user is Anna. */
async function drawWaiting(executable) {
  const environment = { GPULSE_WINEPREFIX: join(folder, "wine"), USER: "Anna", LOGNAME: "Anna" };
  execFileSync(executable, ["--version"], { env: { ...process.env, ...environment } });
  const waiting = await Program.start({ data: join(folder, "waiting"), more: ["--no-browser"], environment, executable });
  const { page, context } = await visit(browser, waiting.url, { theme: "light", size: "wide" });
  await page.getByRole("heading", { name: "Turn on logging in GPU-Z" }).waitFor();
  await page.setViewportSize({ width: 1100, height: 560 });
  await page.screenshot({ path: join(here, "waiting.png") });
  console.log("waiting.png");
  await context.close();
  await waiting.stop();
}

/** `at` puts the cursor there, as a share of the plot. */
async function draw(name, { theme, size, link = "", at = null }) {
  const { page, context } = await visit(browser, program.url + link, { theme, size });
  await settled(page);
  if (at !== null) {
    const box = await page.locator(".overlay").boundingBox();
    await page.mouse.move(box.x + box.width * at, box.y + 60);
    await page.locator(".axis_cursor").waitFor();
  }
  // Rows come once a second: the last of them is drawn, and the row under the cursor has been fetched.
  await page.waitForTimeout(1200);
  await page.screenshot({ path: join(here, name) });
  console.log(name);
  await context.close();
}

try {
  // Row by row the history comes in; the pictures show all of it.
  await program.holds(7200);
  await draw("live-dark.png", { theme: "dark", size: "wide", at: 0.62 });
  await draw("live-light.png", { theme: "light", size: "wide", at: 0.62 });
  await draw("phone.png", { theme: "dark", size: "phone", link: "#range=1h" });
  const windows = join(here, "../../build/windows/run/gpulse");
  if (existsSync(windows)) await drawWaiting(windows);
  else console.log("waiting.png stays as it is: make windows builds what draws it");
} finally {
  await browser.close();
  await program.stop();
  removeFolder(folder);
}
