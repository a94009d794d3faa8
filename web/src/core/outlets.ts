import { api } from "../api/client";
import { store } from "./state";

const askEveryMs = 2000;

let timer: ReturnType<typeof setTimeout> | undefined;

/** Asks where rows are sent to, and goes on asking unless that is nowhere: until gpulse is started again it stays so. */
export async function watchOutlets(): Promise<void> {
  clearTimeout(timer);
  if (!document.hidden) {
    const outlets = await api.outlets().catch(() => null);
    // Meanwhile another one may have begun to ask.
    clearTimeout(timer);
    if (outlets) store.set({ outlets });
    if (outlets?.length === 0) return;
  }
  timer = setTimeout(() => void watchOutlets(), askEveryMs);
}
