import { api, ApiError, uploadLog } from "../api/client";
import type { Job } from "../api/types";
import { openDevice } from "./loader";
import { store } from "./state";
import { Store } from "./store";

/** One dropped file, on its way to being a device. */
export interface Import {
  file: File;
  state: "waiting" | "sending" | "reading" | "done" | "cancelled" | "failed";
  sent: number;
  job: Job | null;
  message: string;
  beginsWith: string;
}

export const importStore = new Store<{ list: Import[] }>({ list: [] });

const pollMs = 500;
let aborter = new AbortController();
let busy = false;

function update(item: Import, patch: Partial<Import>): void {
  Object.assign(item, patch);
  importStore.set({ list: [...importStore.get().list] });
}

/** Takes files in, one after the other. */
export function importFiles(files: readonly File[]): void {
  const added = files.map((file): Import => ({ file, state: "waiting", sent: 0, job: null, message: "", beginsWith: "" }));
  importStore.set({ list: [...importStore.get().list, ...added] });
  void work();
}

async function work(): Promise<void> {
  if (busy) return;
  busy = true;
  for (;;) {
    const next = importStore.get().list.find((item) => item.state === "waiting");
    if (!next) break;
    await importOne(next);
  }
  busy = false;
}

async function importOne(item: Import): Promise<void> {
  aborter = new AbortController();
  update(item, { state: "sending", beginsWith: await firstLine(item.file) });
  try {
    const id = await uploadLog(item.file, aborter.signal, (sent) => update(item, { sent }));
    update(item, { state: "reading", sent: item.file.size });
    // Its job's events come with the live connection; asking as well keeps it going without one.
    for (;;) {
      const job = await api.job(id);
      applyJob(item, job);
      if (job.state !== "waiting" && job.state !== "reading") return;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  } catch (error) {
    const cancelled = error instanceof ApiError && error.kind === "cancelled";
    const message = error instanceof ApiError ? error.message : "gpulse did not answer";
    update(item, cancelled ? { state: "cancelled" } : { state: "failed", message });
  }
}

/** What the file begins with, for the sentence that says why it is none. */
async function firstLine(file: File): Promise<string> {
  const text = await file.slice(0, 200).text().catch(() => "");
  return (text.split(/[\r\n]/)[0] ?? "").slice(0, 60);
}

function applyJob(item: Import, job: Job): void {
  const patch: Partial<Import> = { job };
  if (job.state === "done" || job.state === "cancelled" || job.state === "failed") patch.state = job.state;
  if (job.error) {
    patch.message = job.error.message;
    patch.beginsWith = job.error.begins_with || item.beginsWith;
  }
  update(item, patch);
  // How many rows its device has now, and from when to when.
  if (patch.state && patch.state !== "failed") void api.devices().then((devices) => store.set({ devices })).catch(() => {});
}

export function onJob(job: Job): void {
  const item = importStore.get().list.find((one) => one.job?.job === job.job);
  if (item && item.state === "reading") applyJob(item, job);
}

/** Cancels what is running and what waits; what is done stays. */
export function cancelRest(): void {
  aborter.abort();
  for (const item of importStore.get().list) {
    if (item.state === "reading" && item.job) void api.cancelJob(item.job.job).catch(() => {});
    if (item.state === "waiting") update(item, { state: "cancelled" });
  }
}

export function closeImports(): void {
  importStore.set({ list: importStore.get().list.filter((i) => i.state === "sending" || i.state === "reading") });
}

export function importsRun(): boolean {
  return importStore.get().list.some((i) => i.state === "waiting" || i.state === "sending" || i.state === "reading");
}

export function openImported(item: Import): void {
  const { host, gpu } = item.job ?? {};
  if (host && gpu) void openDevice({ host, gpu }, null);
}

/** The system's own file dialog. */
export function chooseFiles(): void {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  input.accept = ".txt,.log,.csv,text/plain";
  input.onchange = () => importFiles([...(input.files ?? [])]);
  input.click();
}
