import type { Metric, Window } from "../api/types";
import { zoomTo } from "../core/actions";
import { currentDevice } from "../core/state";
import { formatNumber } from "../format/number";
import { useApp, useZone } from "./hooks";

interface Column {
  head: string;
  metric: Metric;
  of: "mean" | "max";
  decimals: number;
}

// Four columns fit the rail: the hottest sensor twice, then load and power, the first that the log has of each.
const picks: { names: string[]; of: "mean" | "max"; head(metric: Metric, label: string): string; decimals?: number }[] = [
  { names: ["hot_spot_temperature", "gpu_temperature", "memory_temperature", "cpu_temperature"], of: "mean", head: (_, label) => label },
  { names: ["hot_spot_temperature", "gpu_temperature", "memory_temperature", "cpu_temperature"], of: "max", head: () => "max °C" },
  { names: ["gpu_load"], of: "mean", head: () => "load %", decimals: 0 },
  { names: ["board_power_draw", "gpu_chip_power_draw", "power_consumption"], of: "mean", head: (_, label) => `${label} W` },
];

const heads: Record<string, string> = {
  hot_spot_temperature: "hot spot", gpu_temperature: "GPU", memory_temperature: "VRAM", cpu_temperature: "CPU",
  board_power_draw: "board", gpu_chip_power_draw: "chip", power_consumption: "power",
};

function columnsOf(metrics: readonly Metric[]): Column[] {
  return picks.flatMap(({ names, of, head, decimals }) => {
    const metric = names.map((name) => metrics.find((m) => m.name === name)).find((m) => m !== undefined);
    if (!metric) return [];
    return [{ metric, of, head: head(metric, heads[metric.name] ?? metric.name), decimals: decimals ?? 1 }];
  });
}

/** The 30 s windows of the range, latest first; a click shows one. */
export function WindowsTable() {
  const zone = useZone();
  const windows = useApp((s) => s.windows);
  const device = useApp(currentDevice);
  const columns = columnsOf(device?.metrics ?? []);
  if (!windows.length || !columns.length) return null;
  return (
    <section class="rail_part">
      <h2>30 s windows <span>latest closed first</span></h2>
      <table class="windows">
        <thead>
          <tr>
            <th scope="col">from</th>
            {columns.map((c) => <th key={c.head} scope="col">{c.head}</th>)}
          </tr>
        </thead>
        <tbody>
          {windows.map((w) => (
            <tr key={w.source + w.session + w.from} class={w.final ? "" : "provisional"}>
              <th scope="row">
                <button onClick={() => zoomTo(Date.parse(w.from), Date.parse(w.to))} title={w.final ? "" : "not closed yet"}>
                  {zone.clock(Date.parse(w.from))}
                </button>
              </th>
              {columns.map((c) => <td key={c.head}>{cell(w, c)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function cell(window: Window, { metric, of, decimals }: Column): string {
  const value = window.metrics[metric.name]?.[of];
  return value == null ? "" : formatNumber(value, decimals);
}
