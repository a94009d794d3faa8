// What axe-core finds wrong with a page as it stands.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Faults that axe calls serious or critical, a line each; `within` is a selector, else the whole page. */
async function faultsOf(page, within) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  return page.evaluate(async (selector) => {
    const { violations } = await window.axe.run(selector ?? document, { resultTypes: ["violations"] });
    return violations.filter((v) => ["serious", "critical"].includes(v.impact))
      .flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(" ")}: ${n.any[0]?.message ?? v.help}`));
  }, within);
}

/** Fails with the faults in one line: an extract of a long run shows no more. */
export async function checkFaults(page, where, within) {
  const faults = await faultsOf(page, within);
  assert.ok(faults.length === 0, `${where}: ${faults.length} faults by axe: ${faults.join("; ")}`);
}
