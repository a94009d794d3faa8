// Writes the dashboards and the alerts below a folder: node build/main.js ../provisioning

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { stringify } from "yaml";

import { contactFile, muteFile, policyFile, ruleFile } from "./alerts";
import { fleet } from "./fleet";
import { gpu } from "./gpu";
import { history } from "./history";
import { itself } from "./itself";

const folder = process.argv[2];
if (!folder) throw new Error("which folder? node build/main.js ../provisioning");

function write(name: string, text: string): void {
  const path = join(folder as string, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

// The SDK puts every link into a menu that newer Grafanas have; without that word they are all in sight.
const inSight = (key: string, value: unknown) => (key === "placement" && value === "inControlsMenu" ? undefined : value);

for (const [name, dashboard] of Object.entries({ fleet: fleet(), gpu: gpu(), history: history(), itself: itself() })) {
  write(`dashboards/${name}.json`, JSON.stringify(dashboard, inSight, 2) + "\n");
}
// As YAML 1.1, which Grafana reads, with quotes where the two versions differ.
const yamlStyle = { version: "1.1", lineWidth: 0, aliasDuplicateObjects: false } as const;
const files = { rules: ruleFile(), contacts: contactFile(), policies: policyFile(), mute: muteFile() };
for (const [name, content] of Object.entries(files)) {
  const head = "# Written by deploy/grafana/source: change it there, then npm run generate.\n";
  write(`alerting/${name}.yaml`, head + stringify(JSON.parse(JSON.stringify(content)), yamlStyle));
}
