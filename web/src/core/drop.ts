import { importFiles } from "./imports";
import { Store } from "./store";

/** Are files being dragged over the page? */
export const dropStore = new Store<{ over: boolean }>({ over: false });

const hasFiles = (event: DragEvent) => [...(event.dataTransfer?.types ?? [])].includes("Files");

/** Takes log files that are dropped anywhere on the page. */
export function listenForDrops(): void {
  // Enter and leave come for every element passed: they are counted.
  let depth = 0;
  document.addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth++;
    dropStore.set({ over: true });
  });
  document.addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  document.addEventListener("dragleave", (event) => {
    if (!hasFiles(event)) return;
    depth = Math.max(0, depth - 1);
    if (depth === 0) dropStore.set({ over: false });
  });
  document.addEventListener("drop", (event) => {
    depth = 0;
    dropStore.set({ over: false });
    if (!hasFiles(event)) return;
    event.preventDefault();
    importFiles([...(event.dataTransfer?.files ?? [])]);
  });
}
