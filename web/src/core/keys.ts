import { presets } from "../model/range";
import { goBack, setRange, stepAlert, stepSession, toggleHold, zoomAt } from "./actions";
import { clearCursor, stepCursor } from "./cursor";
import { cancelRest, chooseFiles, closeImports, importStore, importsRun } from "./imports";
import { toggleTheme } from "./theme";
import { currentDevice, cursorStore, store, type Dialog } from "./state";

function openDialog(dialog: Dialog): void {
  const state = store.get();
  if (dialog !== "help" && !currentDevice(state)) return;
  store.set({ dialog: state.dialog === dialog ? null : dialog });
}

function zoomAtCursor(factor: number): void {
  zoomAt(cursorStore.get().time, factor);
}

/** Closes what is uppermost: dialog or menu, then imports, then the cursor. */
function escape(): void {
  if (store.get().dialog) store.set({ dialog: null });
  else if (importStore.get().list.length) importsRun() ? cancelRest() : closeImports();
  else clearCursor();
}

const actions: Record<string, (event: KeyboardEvent) => void> = {
  "?": () => openDialog("help"),
  ArrowLeft: (e) => stepCursor(e.shiftKey ? -10 : -1),
  ArrowRight: (e) => stepCursor(e.shiftKey ? 10 : 1),
  "+": () => zoomAtCursor(0.5),
  "=": () => zoomAtCursor(0.5),
  "-": () => zoomAtCursor(2),
  "−": () => zoomAtCursor(2),
  Backspace: goBack,
  "[": () => stepSession(-1),
  "]": () => stepSession(1),
  a: () => stepAlert(1),
  A: () => stepAlert(-1),
  d: () => openDialog("device"),
  o: chooseFiles,
  s: () => openDialog("save"),
  t: toggleTheme,
  " ": toggleHold,
  Escape: escape,
};
for (const { key, range } of presets) actions[key] = () => setRange(range, false);

/** Keys that a focused control needs itself. */
function belongsToControl(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("input, select, textarea")) return true;
  const isButton = target.closest("button, summary, a[href]") !== null;
  return isButton && event.key === " ";
}

/** Starts listening for the page's keys. */
export function listenForKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || belongsToControl(event)) return;
    const action = actions[event.key];
    if (!action) return;
    // Behind an open dialog the page stands still.
    if (store.get().dialog && !["Escape", "?", "d", "s"].includes(event.key)) return;
    event.preventDefault();
    action(event);
  });
  // A press elsewhere closes a menu.
  document.addEventListener("pointerdown", (event) => {
    const inside = event.target instanceof Element && event.target.closest(".menu_at, .panel, .backdrop");
    if (store.get().dialog && !inside) store.set({ dialog: null });
  });
}
