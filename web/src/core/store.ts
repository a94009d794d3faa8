import { useLayoutEffect, useState } from "preact/hooks";

/** A value that components and modules watch. Listeners run at once, in the order of subscribing. */
export class Store<T extends object> {
  private readonly listeners = new Set<() => void>();

  constructor(private value: T) {}

  get(): T {
    return this.value;
  }

  set(patch: Partial<T>): void {
    this.value = { ...this.value, ...patch };
    for (const listener of [...this.listeners]) listener();
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

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
