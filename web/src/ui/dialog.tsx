import type { ComponentChildren } from "preact";
import { useFocusInside } from "./hooks";

interface Props {
  title: string;
  action: string;
  onAction(): void;
  children: ComponentChildren;
  modal?: boolean;
}

/** A panel over the page, closed by Esc or its button. */
export function Panel({ title, action, onAction, children, modal }: Props) {
  const ref = useFocusInside<HTMLDivElement>();
  const panel = (
    <div class={"panel" + (modal ? " modal" : " corner")} role="dialog" aria-modal={modal ? "true" : undefined} aria-label={title}
      tabIndex={-1} ref={ref} onKeyDown={modal ? keepFocus : undefined}>
      <header class="panel_head">
        <h2>{title}</h2>
        <button class="control" onClick={onAction}>{action} <kbd>Esc</kbd></button>
      </header>
      {children}
    </div>
  );
  return modal ? <div class="backdrop" onClick={(e) => { if (e.target === e.currentTarget) onAction(); }}>{panel}</div> : panel;
}

/** Tab stays inside a modal panel: the page behind it is not to be reached. */
function keepFocus(event: KeyboardEvent): void {
  if (event.key !== "Tab" || !(event.currentTarget instanceof HTMLElement)) return;
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>("button, a[href], [tabindex='0']")];
  const edge = event.shiftKey ? all[0] : all[all.length - 1];
  if (document.activeElement !== edge) return;
  event.preventDefault();
  (event.shiftKey ? all[all.length - 1] : all[0])?.focus();
}
