import { api } from "../api/client";
import type { ApiSeries } from "../api/types";
import { drawPage } from "../chart/picture";
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

export async function savePicture(): Promise<void> {
  const page = document.querySelector<HTMLElement>("main");
  if (!page) return;
  const canvas = drawPage(page);
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

export function csvOf(series: readonly ApiSeries[], raw: boolean): string {
  const times = [...new Set(series.flatMap((s) => s.time.filter((_, i) => (s.count[i] ?? 0) > 0)))].sort((a, b) => a - b);
  const columns = series.flatMap((s) => {
    const index = new Map(s.time.map((t, i) => [t, i]));
    const column = (head: string, values: (number | null)[] | undefined) => ({
      head, cell: (time: number) => values?.[index.get(time) ?? -1] ?? "",
    });
    return raw
      ? [column(s.metric, s.mean)]
      : [column(s.metric + "_min", s.min), column(s.metric + "_mean", s.mean), column(s.metric + "_max", s.max)];
  });
  const lines = [["time", ...columns.map((c) => c.head)].join(",")];
  for (const time of times) lines.push([new Date(time).toISOString(), ...columns.map((c) => c.cell(time))].join(","));
  return lines.join("\r\n") + "\r\n";
}
