// Bundles every src/**/*_test.ts with esbuild and runs them with Node's own test runner, which
// cannot read TypeScript on Node 18.
import { build } from "esbuild";
import { readdirSync, rmSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const out = "node_modules/.tests";

function testsIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return testsIn(path);
    return /_test\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: testsIn("src"),
  outdir: out,
  outbase: "src",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node18",
  jsx: "automatic",
  jsxImportSource: "preact",
});
const files = testsIn("src").map((path) => join(out, path.slice(4).replace(/\.tsx?$/, ".mjs")));
const run = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" });
process.exit(run.status ?? 1);
