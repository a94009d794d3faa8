import type { Theme } from "../core/state";
import type { Family } from "../model/topics";

/** The tokens of style/tokens.css as a canvas needs them. */
export interface Palette {
  theme: Theme;
  bg: string;
  raised: string;
  line: string;
  line2: string;
  ink: string;
  ink2: string;
  ink3: string;
  warn: string;
  alert: string;
  family: Record<Family, [string, string, string]>;
  bandAlpha: number;
}

const families: Family[] = ["temperature", "power", "load", "clock", "voltage", "fan", "memory"];
const known = new Map<Theme, Palette>();

/** Read once a theme: asking for computed styles costs a layout. */
export function paletteOf(theme: Theme): Palette {
  let palette = known.get(theme);
  if (!palette) {
    palette = read(theme);
    known.set(theme, palette);
  }
  return palette;
}

function read(theme: Theme): Palette {
  const probe = document.createElement("div");
  probe.dataset.theme = theme;
  document.body.append(probe);
  const style = getComputedStyle(probe);
  const token = (name: string) => style.getPropertyValue("--" + name).trim();
  const steps = (family: string): [string, string, string] => [
    token(family + "-1"), token(family + "-2"), token(family + "-3"),
  ];
  const family = Object.fromEntries(families.map((f) => [f, steps(f)])) as Palette["family"];
  const ink = token("ink");
  const ink2 = token("ink2");
  const ink3 = token("ink3");
  family.unknown = [ink, ink2, ink3];
  const palette: Palette = {
    theme, ink, ink2, ink3, family,
    bg: token("bg"), raised: token("raised"), line: token("line"), line2: token("line2"),
    warn: token("warn"), alert: token("alert"),
    bandAlpha: theme === "dark" ? 0.28 : 0.22,
  };
  probe.remove();
  return palette;
}
