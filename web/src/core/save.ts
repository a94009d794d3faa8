import { api } from "../api/client";
import { drawPage } from "../chart/picture";
import { Zone } from "../format/time";
import { csvOf } from "./csv";
import { clearCursor } from "./cursor";
import { currentDevice, store } from "./state";

/** The most rows that one query brings. */
const rowsMost = 20_000;

function fileName(extension: string): string {
  const { selected, view } = store.get();
  const when = new Date(view?.from ?? 0).toISOString().slice(0, 19).replace(/:/g, "-");
  return `gpulse ${selected?.host} ${selected?.gpu} ${when}.${extension}`.replace(/[\\/:*?"<>|]/g, "_");
}

function download(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function titleText(): string {
  const { view } = store.get();
  const device = currentDevice(store.get());
  if (!device || !view) return "gpulse";
  const zone = new Zone(device.timezone);
  const to = zone.clockNear(view.to, view.from);
  return `${device.host} / ${device.gpu}  ·  ${zone.date(view.from)} ${zone.clock(view.from)} to ${to}, ${device.timezone}`;
}

export async function savePicture(): Promise<void> {
  const page = document.querySelector<HTMLElement>("main");
  if (!page) return;
  const canvas = drawPage(page, titleText());
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (blob) download(blob, fileName("png"));
}

/** The range as CSV: its rows, or where they are too many, columns with minimum, mean and maximum. */
export async function saveTable(): Promise<void> {
  const state = store.get();
  const device = currentDevice(state);
  if (!device || !state.view) return;
  clearCursor();
  const names = device.metrics.filter((m) => m.kind !== "bitmask").map((m) => m.name);
  const { series, raw } = await api.query(device, names, state.view, rowsMost);
  download(new Blob([csvOf(series, raw)], { type: "text/csv" }), fileName("csv"));
}
