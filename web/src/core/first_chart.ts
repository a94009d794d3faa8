import { store, type State } from "./state";

let resolveFirst: () => void;

/** Once the page's first chart is on the screen, or never will be. What it does not need waits for it. */
export const firstChart = new Promise<void>((resolve) => (resolveFirst = resolve));

function shown(): void {
  if (store.get().drawn) return;
  store.set({ drawn: true });
  resolveFirst();
}

/** Is there something to be drawn, or the knowledge that there is nothing? */
function isThere({ frame, failure, devices }: State): boolean {
  return frame !== null || failure !== null || devices?.length === 0;
}

/** Resolves when the first chart can be drawn. */
export function firstChartKnown(): Promise<void> {
  if (isThere(store.get())) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = store.subscribe(() => {
      if (!isThere(store.get())) return;
      stop();
      resolve();
    });
  });
}

/** Once the page is rendered: lets the rest go on when the browser has painted what was known. */
export async function releaseAfterPaint(): Promise<void> {
  await firstChartKnown();
  // A hidden tab paints nothing.
  if (document.hidden) return shown();
  // The first frame has the chart; at the second it is on the screen, and the rest no longer stands in its way.
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(shown)));
  document.addEventListener("visibilitychange", shown, { once: true });
}
