import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./style/tokens.css";
import "./style/base.css";
import "./style/bar.css";
import "./style/answers.css";
import "./style/score.css";
import "./style/overlay.css";
import "./style/rail.css";
import "./style/panels.css";
import "./style/narrow.css";
import { paletteOf } from "./chart/palette";
import { setTheme, titleOf } from "./core/actions";
import { listenForDrops } from "./core/drop";
import { follow } from "./core/follow";
import { listenForKeys } from "./core/keys";
import { layoutOf } from "./core/layout";
import { load, openDevice, openPage } from "./core/loader";
import { sameDevice, store } from "./core/state";
import { formatLink, parseLink } from "./core/url";
import { App } from "./ui/app";

function chooseTheme(): void {
  let saved: string | null = null;
  try {
    saved = localStorage.getItem("gpulse-theme");
  } catch {
    // Storage may be forbidden; then the system's choice holds.
  }
  const system = matchMedia("(prefers-color-scheme: light)");
  const theme = saved === "light" || saved === "dark" ? saved : system.matches ? "light" : "dark";
  setTheme(theme);
  // While the page is empty, reading the tokens costs next to nothing.
  paletteOf(theme);
  system.addEventListener("change", (event) => {
    if (saved === null) setTheme(event.matches ? "light" : "dark");
  });
}

function fitLayout(): void {
  const next = layoutOf(document.documentElement.clientWidth);
  const { layout, plotWidth } = store.get();
  if (next.layout === layout && next.plotWidth === plotWidth) return;
  store.set(next);
  // As many columns as pixels: another width wants other columns.
  clearTimeout(resizing);
  resizing = setTimeout(() => void load(), 150);
}

let resizing: ReturnType<typeof setTimeout> | undefined;
let written = location.hash;

function writeLink(): void {
  const { selected, range, toggled, view, moving } = store.get();
  if (!selected || !view || moving) return;
  const hash = formatLink({ device: selected, range, toggled });
  if (hash === written) return;
  written = hash;
  history.replaceState(null, "", hash);
}

function readLink(): void {
  if (location.hash === written) return;
  written = location.hash;
  const link = parseLink(location.hash);
  const { selected, devices } = store.get();
  store.set({ toggled: link.toggled });
  const device = devices?.find((d) => sameDevice(d, link.device));
  if (device && !sameDevice(device, selected)) void openDevice(device, link.range);
  else if (link.range) {
    store.set({ range: link.range, back: [] });
    void load();
  }
}

function start(): void {
  chooseTheme();
  store.set(layoutOf(document.documentElement.clientWidth));
  const link = parseLink(location.hash);
  store.set({ toggled: link.toggled });
  // Asked for before the first rendering, so that the answer is there after it. When nobody answers,
  // the live connection says so, and opens the page once somebody does.
  openPage(link.device, link.range).catch(() => {});
  const root = document.getElementById("page");
  if (root) render(<App />, root);
  // A bar that appears (a scroll bar) changes the width without a resize event.
  new ResizeObserver(fitLayout).observe(document.documentElement);
  store.subscribe(writeLink);
  store.subscribe(() => {
    const title = titleOf(store.get());
    if (document.title !== title) document.title = title;
    if (root) root.ariaBusy = String(store.get().loading);
  });
  window.addEventListener("hashchange", readLink);
  listenForKeys();
  listenForDrops();
  follow();
}

start();
