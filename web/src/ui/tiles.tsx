import { useLayoutEffect, useRef } from "preact/hooks";
import { drawSpark } from "../chart/spark";
import { paletteOf } from "../chart/palette";
import { isSilent } from "../core/actions";
import { firstChart } from "../core/first_chart";
import { currentDevice } from "../core/state";
import { dash, formatNumber, formatShort } from "../format/number";
import { ruleOf, stateOf } from "../model/rules";
import { tilesOf, type TilePlan } from "../model/tiles";
import { AlertMark, WarnMark } from "./icons";
import { useApp } from "./hooks";

export function Tiles() {
  const device = useApp(currentDevice);
  const phone = useApp((s) => s.layout === "phone");
  const stats = useApp((s) => s.stats);
  // Which fan stands for all depends on its readings, and is settled once statistics are there.
  const silentFan = useApp((s) => isSilent(s, "fan1_speed_rpm"));
  if (!device) return null;
  const known = new Set(stats?.metrics.filter((m) => m.constant && m.first?.value === 0).map((m) => m.metric));
  const silent = (name: string) => (name === "fan1_speed_rpm" ? silentFan : known.has(name));
  const tiles = tilesOf(device.metrics, phone ? 9 : 8, silent);
  return (
    <section class="tiles" aria-label="Now" data-count={tiles.length}>
      {tiles.map((tile) => <Tile key={tile.metric.name} tile={tile} />)}
    </section>
  );
}

const sparkLeast = 16;

/** A tile has room for four digits and a unit: megahertz carry no decimals there. */
function decimalsOn(tile: TilePlan): number {
  return tile.metric.unit === "MHz" ? 0 : Math.min(tile.metric.decimals, 2);
}

function Tile({ tile }: { tile: TilePlan }) {
  const { name, unit } = tile.metric;
  const value = useApp((s) => s.now?.values.get(name));
  const loaded = useApp((s) => s.now !== null);
  const stats = useApp((s) => s.stats?.metrics.find((m) => m.metric === name));
  const rule = useApp((s) => ruleOf(s.rules, name));
  const current = useApp((s) => s.connection.kind !== "lost" && currentDevice(s)?.state !== "stale");
  const text = (v: number) => formatNumber(v, decimalsOn(tile));
  const state = value != null && current ? stateOf(value, rule, unit) : "ok";
  // A tile that is over now says so as a whole: the mark at its maximum is for what has passed.
  const wasOver = state !== "over" && stats?.max && stateOf(stats.max.value, rule, unit) === "over";
  return (
    <div class={`tile ${state}`} aria-label={`${tile.label} ${value != null ? text(value) + " " + unit : "no reading"}`} role="group">
      <div class="tile_head">
        <span class={`tile_dot family_${tile.family}`} aria-hidden="true" />
        <span class="tile_name">{tile.label}</span>
        {rule && <span class="tile_rule">rule {formatShort(rule.limit)}</span>}
      </div>
      <div class="tile_now">
        <span class="tile_value">
          {state === "near" && <WarnMark size={16} />}
          {state === "over" && <AlertMark size={16} />}
          {value != null ? text(value) : dash}
        </span>
        <span class="tile_unit">{value != null ? unit : loaded ? "no reading" : ""}</span>
        <Spark tile={tile} text={value != null ? text(value) : ""} />
      </div>
      <div class="tile_range">
        {stats?.min && stats.max && (
          <>
            <span class="tile_min"><i>min </i>{text(stats.min.value)}</span>
            <span class="tile_to" aria-hidden="true"> {dash} </span>
            <span class={"tile_max" + (wasOver ? " over" : "")}>
              <i>max </i>{wasOver && <WarnMark />}{text(stats.max.value)}
            </span>
          </>
        )}
      </div>
    </div>
  );
}

interface Drawing {
  measure(): number;
  draw(width: number): void;
}

let drawings: Drawing[] = [];

/** All are measured before the first is drawn: each would lay out the page anew. The first chart comes before them. */
function drawLater(drawing: Drawing): void {
  drawings.push(drawing);
  if (drawings.length > 1) return;
  void firstChart.then(() => {
    const all = drawings;
    drawings = [];
    const widths = all.map((one) => one.measure());
    all.forEach((one, i) => one.draw(widths[i] ?? 0));
  });
}

/** Takes what the value leaves it; `text` is that value, whose length says how much that is. */
function Spark({ tile, text }: { tile: TilePlan; text: string }) {
  const box = useRef<HTMLSpanElement>(null);
  const ref = useRef<HTMLCanvasElement>(null);
  const frame = useApp((s) => s.frame);
  const view = useApp((s) => s.view);
  const theme = useApp((s) => s.theme);
  const layout = useApp((s) => s.layout);
  const plotWidth = useApp((s) => s.plotWidth);
  const height = layout === "phone" ? 22 : 36;
  useLayoutEffect(() => {
    if (!frame || !view) return;
    drawLater({
      measure: () => (document.hidden ? 0 : (box.current?.clientWidth ?? 0)),
      draw: (width) => {
        if (!ref.current || width < sparkLeast) return;
        const palette = paletteOf(theme);
        const steps = palette.family[tile.family];
        const look = { line: steps[1], dot: steps[0], bandAlpha: palette.bandAlpha };
        drawSpark(ref.current, width, height, frame.series.get(tile.metric.name), view.from, view.to, look);
      },
    });
  }, [frame, view, theme, tile.metric.name, height, plotWidth, text.length]);
  return (
    <span class="spark" ref={box} style={{ height: height + "px" }}>
      <canvas ref={ref} width={1} height={height} aria-hidden="true" />
    </span>
  );
}
