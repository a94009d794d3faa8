import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Zone } from "../format/time";
import { currentDevice, store, type State } from "../core/state";
import type { Store } from "../core/store";

/** The part of a store that `select` picks; renders again only when that is another value. */
export function useStore<T extends object, S>(store: Store<T>, select: (value: T) => S): S {
  const picked = select(store.get());
  const [, render] = useState(0);
  useLayoutEffect(() => {
    let seen = picked;
    const check = () => {
      const next = select(store.get());
      if (Object.is(next, seen)) return;
      seen = next;
      render((n) => n + 1);
    };
    // Something may have changed between rendering and this effect.
    check();
    return store.subscribe(check);
  });
  return picked;
}

export const useApp = <S,>(select: (state: State) => S): S => useStore(store, select);

const zones = new Map<string, Zone>();

export function zoneOf(name: string): Zone {
  let zone = zones.get(name);
  if (!zone) {
    zone = new Zone(name);
    zones.set(name, zone);
  }
  return zone;
}

/** Wall clock of the device shown. */
export function useZone(): Zone {
  return zoneOf(useApp((s) => currentDevice(s)?.timezone ?? "UTC"));
}

/** Renders again every `ms` while the tab is seen; for ages and countdowns. */
export function useClock(ms: number): void {
  const [, render] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) render((n) => n + 1);
    }, ms);
    return () => clearInterval(timer);
  }, [ms]);
}

/** Puts the focus into a dialog or menu when it opens, and back where it was when it closes. */
export function useFocusInside<E extends HTMLElement>() {
  const ref = useRef<E>(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    const first = ref.current?.querySelector<HTMLElement>('[aria-selected="true"], [aria-checked="true"], button, [tabindex]');
    (first ?? ref.current)?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return ref;
}

/** Arrow keys through the items of a menu; Tab leaves it. */
export function menuKeys(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined || !(event.currentTarget instanceof HTMLElement)) return;
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>("[role^=menuitem], [role=option]")];
  const at = items.indexOf(document.activeElement as HTMLElement);
  items[(at + step + items.length) % items.length]?.focus();
  event.preventDefault();
  event.stopPropagation();
}

export function closeDialog(): void {
  store.set({ dialog: null });
}
