import type { ChartTrack } from "./tracks";

/** A series' key: a piece of its line, a square of its layer, or a hollow ring when it is not drawn. */
export function Key({ track, name, shown }: { track: ChartTrack; name: string; shown: boolean }) {
  const style = track.styles.get(name);
  if (!shown || !style) return <i class="key off" aria-hidden="true" />;
  const family = `family_${track.topic.family} step_${style.step + 1}`;
  if (style.fill !== null) return <i class={`key layer ${family}`} style={{ opacity: style.fill }} aria-hidden="true" />;
  return <i class={`key line ${family}${style.dash ? " dashed" : ""}`} aria-hidden="true" />;
}
