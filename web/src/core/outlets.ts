import { api } from "../api/client";
import { store } from "./state";

const askEveryMs = 2000;

let timer: ReturnType<typeof setTimeout> | undefined;

/**
 * Asks where rows are sent to, and goes on asking where that is anywhere: it is the same until gpulse is started again.
 * When nobody answers, the connection's own state says so, and the next one comes here once more.
 */
export async function watchOutlets(): Promise<void> {
  clearTimeout(timer);
  try {
    if (!document.hidden) store.set({ outlets: await api.outlets() });
  } catch {
    return;
  }
  if (store.get().outlets.length > 0 || document.hidden) timer = setTimeout(() => void watchOutlets(), askEveryMs);
}
