import { render } from "preact";
import { paletteOf } from "./chart/palette";
import { titleOf } from "./core/actions";
import { listenForDrops } from "./core/drop";
import { firstChartKnown, releaseAfterPaint } from "./core/first_chart";
import { follow } from "./core/follow";
import { listenForKeys } from "./core/keys";
import { layoutOf } from "./core/layout";
import { load, openDevice } from "./core/loader";
import { sameDevice, store } from "./core/state";
import { formatLink, parseLink } from "./core/url";
import { App } from "./ui/app";

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

/** Without its stylesheet the page has neither sizes nor colours. */
async function styled(): Promise<void> {
  const link = document.querySelector<HTMLLinkElement>("link[rel=stylesheet]");
  if (!link || link.sheet) return;
  await new Promise((resolve) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", resolve);
  });
}

/** Frames without a line are drawn only when the line takes longer than it takes to draw them. */
const framesAloneMs = 100;

async function start(): Promise<void> {
  await styled();
  paletteOf(store.get().theme);
  await Promise.race([firstChartKnown(), new Promise((resolve) => setTimeout(resolve, framesAloneMs))]);
  const root = document.getElementById("page");
  if (!root) return;
  render(<App />, root);
  void releaseAfterPaint();
  // A bar that appears (a scroll bar) changes the width without a resize event.
  new ResizeObserver(fitLayout).observe(document.documentElement);
  store.subscribe(writeLink);
  const tell = () => {
    const title = titleOf(store.get());
    if (document.title !== title) document.title = title;
    root.ariaBusy = String(store.get().loading);
  };
  store.subscribe(tell);
  tell();
  window.addEventListener("hashchange", readLink);
  listenForKeys();
  listenForDrops();
  follow();
}

void start();
