import type { DeviceKey } from "../api/client";
import { presets, type Range } from "../model/range";

/** What the address bar reproduces. */
export interface Link {
  device: DeviceKey | null;
  range: Range | null;
  toggled: ReadonlyMap<string, boolean>;
}

export function parseLink(hash: string): Link {
  const p = new URLSearchParams(hash.replace(/^#/, ""));
  const host = p.get("host");
  const gpu = p.get("gpu");
  const toggled = new Map<string, boolean>();
  for (const name of list(p.get("hide"))) toggled.set(name, false);
  for (const name of list(p.get("show"))) toggled.set(name, true);
  return { device: host !== null && gpu !== null ? { host, gpu } : null, range: parseRange(p), toggled };
}

function list(text: string | null): string[] {
  return text ? text.split(",") : [];
}

function parseRange(p: URLSearchParams): Range | null {
  const from = Date.parse(p.get("from") ?? "");
  const to = Date.parse(p.get("to") ?? "");
  if (from < to) return { kind: "fixed", from, to };
  const session = /^(.+):(\d+)$/.exec(p.get("session") ?? "");
  if (session) return { kind: "session", source: session[1] as string, session: Number(session[2]) };
  const name = p.get("range");
  return presets.find((preset) => rangeName(preset.label) === name)?.range ?? null;
}

const rangeName = (label: string) => label.replace(" ", "");

export function formatLink({ device, range, toggled }: Link): string {
  const p = new URLSearchParams();
  if (device) {
    p.set("host", device.host);
    p.set("gpu", device.gpu);
  }
  if (range?.kind === "fixed") {
    p.set("from", new Date(range.from).toISOString());
    p.set("to", new Date(range.to).toISOString());
  } else if (range?.kind === "session") {
    p.set("session", `${range.source}:${range.session}`);
  } else if (range) {
    const text = JSON.stringify(range);
    const preset = presets.find((one) => JSON.stringify(one.range) === text);
    if (preset) p.set("range", rangeName(preset.label));
  }
  const names = (shown: boolean) => [...toggled].filter(([, s]) => s === shown).map(([name]) => name).join(",");
  if (names(false)) p.set("hide", names(false));
  if (names(true)) p.set("show", names(true));
  // Readable where a fragment allows it; only what would end or confuse the link stays escaped.
  return "#" + p.toString().replace(/%3A/g, ":").replace(/%2C/g, ",").replace(/%2F/g, "/");
}
