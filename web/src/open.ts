// The page's first script, and a small one: it asks for the data of the first chart while the page itself
// is still on its way. Devices and rules come sooner still: index.html tells the browser of them with its first byte.
import { layoutOf } from "./core/layout";
import { openPage } from "./core/loader";
import { store } from "./core/state";
import { chooseTheme } from "./core/theme";
import { parseLink } from "./core/url";

/** So long the page waits at most for the device list; without an answer it says that it is opening. */
const devicesMs = 100;

chooseTheme();
const link = parseLink(location.hash);
store.set({ ...layoutOf(document.documentElement.clientWidth), toggled: link.toggled });
// When nobody answers, the live connection says so, and opens the page once somebody does.
const opening = openPage(link.device, link.range).catch(() => {});
// The page's script is there by now. To run it takes long enough for the chart's query to be answered
// meanwhile, so that goes out first: with the devices, whose change the store tells at once.
const devices = new Promise<void>((resolve) => {
  const stop = store.subscribe(() => {
    if (store.get().devices === null) return;
    stop();
    resolve();
  });
});
void Promise.race([devices, opening, new Promise((resolve) => setTimeout(resolve, devicesMs))]).then(() => {
  // A browser's first use of its time zones costs 20 ms: they are had now, too, and not before the query.
  new Intl.DateTimeFormat("en-US");
  return import("./main");
});
