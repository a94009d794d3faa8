import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

interface Props<T> {
  items: readonly T[];
  itemHeight: number;
  /** The list scrolls within this. */
  heightMost: number;
  keyOf(item: T): string;
  render(item: T): ComponentChildren;
  label: string;
}

/** A list that keeps only what is seen in the page: years of logging are thousands of sessions. */
export function VirtualList<T>({ items, itemHeight, heightMost, keyOf, render, label }: Props<T>) {
  const [top, setTop] = useState(0);
  const height = Math.min(heightMost, items.length * itemHeight);
  const first = Math.max(0, Math.floor(top / itemHeight) - 2);
  const last = Math.min(items.length, Math.ceil((top + height) / itemHeight) + 2);
  return (
    <div class="virtual" style={{ height: height + "px" }} role="list" aria-label={label}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}>
      <div class="virtual_all" style={{ height: items.length * itemHeight + "px" }}>
        {items.slice(first, last).map((item, i) => (
          <div key={keyOf(item)} role="listitem" class="virtual_item" aria-setsize={items.length} aria-posinset={first + i + 1}
            style={{ top: (first + i) * itemHeight + "px", height: itemHeight + "px" }}>
            {render(item)}
          </div>
        ))}
      </div>
    </div>
  );
}
