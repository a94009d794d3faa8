// Takes the pictures of docs/images/make.sh.
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
} finally {
  await browser.close();
  await program.stop();
  removeFolder(folder);
}
