import { useMemo, useState } from "preact/hooks";
import { timeTicks } from "../format/ticks";
import { store } from "../core/state";
import { Axis } from "./axis";
import { ChartTrackView } from "./track";
import { LimitsTrackView } from "./limits_track";
import { Overlay } from "./overlay";
import { scoreHeight, tracksOf } from "./tracks";
import { useApp, useZone } from "./hooks";

/** Every topic as a track on one shared time axis, with one cursor through all of them. */
export function Score() {
  const zone = useZone();
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const layout = useApp((s) => s.layout);
  const width = useApp((s) => s.plotWidth);
  const view = useApp((s) => s.view);
  const deps = [
    useApp((s) => s.frame), view, useApp((s) => s.stats), useApp((s) => s.rules), useApp((s) => s.toggled),
    useApp((s) => s.devices), useApp((s) => s.selected), layout,
  ];
  const tracks = useMemo(() => tracksOf(store.get()), deps);
  const ticks = useMemo(() => (view ? timeTicks(view.from, view.to, width, zone) : []), [view, width, zone]);
  const lost = useApp((s) => s.connection.kind === "lost");
  const failure = useApp((s) => s.failure);
  const toggle = (id: string) => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
  };
  return (
    <section class={"score" + (lost ? " lost" : "")} aria-label="Score">
      <Axis ticks={ticks} />
      {failure && !lost && <p class="failure" role="alert">This range could not be read: {failure}</p>}
      <div class="tracks">
        {tracks.map((track) =>
          track.kind === "limits" ? (
            <LimitsTrackView key="limits" track={track} ticks={ticks} open={open.has("limits")} onToggle={() => toggle("limits")} />
          ) : (
            <ChartTrackView key={track.topic.id} track={track} ticks={ticks} open={open.has(track.topic.id)}
              onToggle={() => toggle(track.topic.id)} />
          ),
        )}
        <Overlay tracks={tracks} height={scoreHeight(tracks)} open={open} />
      </div>
    </section>
  );
}
