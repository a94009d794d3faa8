import type { Metric } from "../api/types";
import type { Family } from "./topics";

export interface TilePlan {
  metric: Metric;
  label: string;
  family: Family;
}

interface Slot {
  /** The first of these that the log has. */
  names: [name: string, label: string][];
  family: Family;
}

const slots: Slot[] = [
  { names: [["gpu_temperature", "GPU core"]], family: "temperature" },
  { names: [["hot_spot_temperature", "Hot spot"]], family: "temperature" },
  { names: [["memory_temperature", "VRAM"], ["hottest_memory_chip_temperature", "VRAM"]], family: "temperature" },
  { names: [["cpu_temperature", "CPU"]], family: "temperature" },
  {
    names: [["board_power_draw", "Board power"], ["gpu_chip_power_draw", "Chip power"], ["power_consumption", "Power"],
      ["power_consumption_percent", "Power"]],
    family: "power",
  },
  { names: [["gpu_load", "GPU load"]], family: "load" },
  { names: [["gpu_clock", "GPU clock"]], family: "clock" },
  { names: [["fan1_speed_rpm", "Fan"], ["fan1_speed_percent", "Fan"]], family: "fan" },
  { names: [["gpu_memory_used", "GPU memory"]], family: "memory" },
];

/**
 * The tiles of a device, at most `most`, in the page's order. `silent` tells of a metric that reads
 * zero throughout: many cards log a fan's RPM as 0 for ever, and then its percentage is the tile.
 */
export function tilesOf(metrics: readonly Metric[], most: number, silent: (name: string) => boolean): TilePlan[] {
  const byName = new Map(metrics.map((m) => [m.name, m]));
  const fans = metrics.filter((m) => /^fan\d_speed_percent$/.test(m.name)).length;
  const tiles: TilePlan[] = [];
  for (const slot of slots) {
    const has = slot.names.filter(([name]) => byName.has(name));
    const chosen = has.find(([name]) => !silent(name)) ?? has[has.length - 1];
    if (!chosen) continue;
    const metric = byName.get(chosen[0]);
    if (!metric) continue;
    const label = slot.family === "fan" && fans > 1 ? "Fan 1" : chosen[1];
    tiles.push({ metric, label, family: slot.family });
  }
  return tiles.slice(0, most);
}
