import type { Metric } from "../api/types";

/** Hue families of the palette. */
export type Family = "temperature" | "power" | "load" | "clock" | "voltage" | "fan" | "memory" | "unknown";

export type ScaleKind = "percent" | "zero" | "fitted";

export interface Topic {
  id: string;
  title: string;
  unit: string;
  family: Family;
  scale: ScaleKind;
  height: number;
  metrics: TopicMetric[];
}

export interface TopicMetric {
  metric: Metric;
  label: string;
  /** Shown unless the viewer hides it; others stand in the table with a hollow ring. */
  shown: boolean;
  /** Drawn as a layer of the board's power, from the bottom up. */
  stacked: boolean;
  dashed: boolean;
}

interface TopicPlan {
  id: string;
  title: string;
  family: Family;
  scale: ScaleKind;
  height: number;
  takes(metric: Metric): boolean;
  /** Order in the table; what is not listed comes after, in the log's order. */
  order: string[];
}

const base = (name: string) => name.replace(/_\d+$/, "");
const inGroup = (...groups: string[]) => (m: Metric) => groups.includes(m.group);

// Top to bottom as the page shows them. A metric belongs to the first topic that takes it.
const plans: TopicPlan[] = [
  {
    id: "temperature", title: "Temperature", family: "temperature", scale: "fitted", height: 136,
    takes: inGroup("temperature"),
    order: ["hot_spot_temperature", "gpu_temperature", "memory_temperature", "hottest_memory_chip_temperature",
      "cpu_temperature", "vrm_temperature"],
  },
  {
    id: "power", title: "Power", family: "power", scale: "zero", height: 160,
    takes: (m) => (m.group === "power" || m.group === "rail") && m.unit !== "V",
    order: ["board_power_draw", "gpu_chip_power_draw", "power_consumption", "pcie_16pin_power", "pcie_8pin6_power",
      "pcie_8pin5_power", "pcie_8pin4_power", "pcie_8pin3_power", "pcie_8pin2_power", "pcie_8pin1_power",
      "pcie_6pin2_power", "pcie_6pin1_power", "pcie_slot_power", "pwr_src_power_draw", "mvddq_power_draw",
      "mvddc_power_draw", "usb_c_power_draw", "power_consumption_percent"],
  },
  {
    id: "load", title: "Load", family: "load", scale: "percent", height: 84, takes: inGroup("load"),
    order: ["gpu_load", "memory_controller_load", "bus_interface_load", "video_engine_load"],
  },
  {
    id: "clock", title: "Clocks", family: "clock", scale: "zero", height: 64, takes: inGroup("clock"),
    order: ["gpu_clock", "memory_clock", "shader_clock", "video_clock"],
  },
  { id: "bus", title: "Bus", family: "clock", scale: "zero", height: 48, takes: inGroup("bus"), order: [] },
  {
    id: "voltage", title: "GPU core", family: "voltage", scale: "fitted", height: 48, takes: inGroup("voltage"),
    order: ["gpu_voltage", "memory_voltage"],
  },
  {
    id: "rail", title: "Rails", family: "voltage", scale: "fitted", height: 64,
    takes: (m) => m.group === "rail",
    order: ["pcie_16pin_voltage", "pcie_8pin1_voltage", "pcie_8pin2_voltage", "pcie_8pin3_voltage",
      "pcie_6pin1_voltage", "pcie_6pin2_voltage", "pcie_slot_voltage", "pwr_src_voltage"],
  },
  {
    id: "fan", title: "Fans", family: "fan", scale: "zero", height: 64, takes: inGroup("fan"),
    order: ["fan1_speed_percent", "fan2_speed_percent", "fan3_speed_percent"],
  },
  {
    id: "memory", title: "Memory", family: "memory", scale: "zero", height: 64, takes: inGroup("memory"),
    order: ["gpu_memory_used", "gpu_memory_used_dynamic", "system_memory_used"],
  },
];

const labels: Record<string, string> = {
  gpu_temperature: "GPU core", hot_spot_temperature: "Hot spot", memory_temperature: "VRAM",
  hottest_memory_chip_temperature: "Hottest VRAM chip", pcb_temperature: "PCB", vrm_temperature: "VRM",
  memory1_vrm_temperature: "Memory VRM 1", memory2_vrm_temperature: "Memory VRM 2", soc_temperature: "SOC",
  connector_temperature: "12V-2x6", cpu_temperature: "CPU",
  board_power_draw: "Board", gpu_chip_power_draw: "GPU chip", power_consumption: "Consumption",
  power_consumption_percent: "% of TDP", mvddc_power_draw: "MVDDC", mvddq_power_draw: "MVDDQ",
  pwr_src_power_draw: "PWR_SRC", usb_c_power_draw: "USB-C",
  gpu_load: "GPU", memory_controller_load: "Memory controller", bus_interface_load: "Bus interface",
  video_engine_load: "Video engine",
  gpu_clock: "GPU", memory_clock: "Memory", shader_clock: "Shader", video_clock: "Video", uvd_clock: "UVD",
  uvd_clock_2: "UVD, second", crossbar_clock: "Crossbar", sys_clock: "SYS", l2_clock: "L2",
  pcie_tx: "PCIe sent", pcie_rx: "PCIe received",
  gpu_voltage: "GPU", memory_voltage: "Memory",
  gpu_memory_used: "GPU", gpu_memory_used_dynamic: "GPU, dynamic", system_memory_used: "System",
};

/** A metric's short name within its topic. */
export function labelOf(name: string): string {
  const known = labels[name];
  if (known) return known;
  const fan = /^fan(\d)_speed_(percent|rpm)$/.exec(name);
  if (fan) return `Fan ${fan[1]}` + (fan[2] === "rpm" ? " speed" : "");
  const rail = /^(?:pcie_(slot|16pin|(\d+)pin(\d))|pwr_src)_(?:power|voltage)/.exec(name);
  if (rail) {
    if (!rail[1]) return "PWR_SRC";
    if (rail[1] === "slot") return "PCIe slot";
    return rail[1] === "16pin" ? "16-pin" : `${rail[2]}-pin #${rail[3]}`;
  }
  const text = base(name).replace(/^sensor_/, "").replace(/_/g, " ");
  const double = /_(\d+)$/.exec(name);
  return text.charAt(0).toUpperCase() + text.slice(1) + (double ? `, ${double[1]}` : "");
}

const fullLabels: Record<string, string> = {
  gpu_temperature: "GPU temperature", hot_spot_temperature: "Hot spot", memory_temperature: "VRAM temperature",
  cpu_temperature: "CPU temperature", board_power_draw: "Board power", gpu_chip_power_draw: "Chip power",
  gpu_load: "GPU load", gpu_clock: "GPU clock", memory_clock: "Memory clock", gpu_memory_used: "GPU memory",
};

/** A metric's name where no topic stands beside it. */
export function fullLabelOf(name: string): string {
  const known = fullLabels[name];
  if (known) return known;
  const text = name.replace(/_/g, " ").replace(/\bgpu\b/g, "GPU").replace(/\bcpu\b/g, "CPU");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const consumers = new Set(["mvddc_power_draw", "mvddq_power_draw", "usb_c_power_draw", "pwr_src_power_draw"]);
const isFeed = (name: string) => /^pcie_.*_power$/.test(name);

/** Metrics of a device as topics, top to bottom; bit masks have their own timeline and are left out. */
export function topicsOf(metrics: readonly Metric[]): Topic[] {
  const gauges = metrics.filter((m) => m.kind !== "bitmask").map((m) => likeItsFirst(m, metrics));
  const taken = new Set<string>();
  const topics: Topic[] = [];
  for (const plan of plans) {
    const own = gauges.filter((m) => !taken.has(m.name) && plan.takes(m));
    if (!own.length) continue;
    for (const m of own) taken.add(m.name);
    topics.push(topicOf(plan, own));
  }
  const rest = gauges.filter((m) => !taken.has(m.name));
  for (const unit of new Set(rest.map((m) => m.unit))) topics.push(unknownTopic(unit, rest.filter((m) => m.unit === unit)));
  return topics;
}

/** The second column of one name (uvd_clock_2) is in no catalogue: it belongs where the first does. */
function likeItsFirst(metric: Metric, metrics: readonly Metric[]): Metric {
  const first = metrics.find((m) => m.name === base(metric.name) && m.name !== metric.name && m.unit === metric.unit);
  return first ? { ...metric, group: first.group } : metric;
}

function topicOf(plan: TopicPlan, own: Metric[]): Topic {
  const rank = (m: Metric) => {
    const i = plan.order.indexOf(m.name);
    return i < 0 ? plan.order.length : i;
  };
  const sorted = own.map((m, i) => ({ m, i })).sort((a, b) => rank(a.m) - rank(b.m) || a.i - b.i).map(({ m }) => m);
  const unit = mainUnit(plan, sorted);
  const board = sorted.some((m) => m.name === "board_power_draw");
  const title = plan.id === "voltage" && sorted.length > 1 ? "Voltage" : plan.title;
  const scale = plan.id === "fan" && unit === "%" ? "percent" : plan.scale;
  return {
    id: plan.id, title, unit, family: plan.family, scale, height: plan.height,
    metrics: sorted.map((metric, i) => ({
      metric,
      label: labelOf(metric.name),
      shown: metric.unit === unit && !consumers.has(metric.name),
      stacked: board && isFeed(metric.name),
      // Two fans mostly run alike: the second is dashed, so that the first is seen beneath it.
      dashed: (board && metric.name === "gpu_chip_power_draw") || (plan.id === "fan" && i > 0) || i > 2,
    })),
  };
}

function mainUnit(plan: TopicPlan, sorted: Metric[]): string {
  if (plan.id === "fan" && sorted.some((m) => m.unit === "%")) return "%";
  return sorted[0]?.unit ?? "";
}

function unknownTopic(unit: string, metrics: Metric[]): Topic {
  return {
    id: "other:" + unit, title: "Other", unit, family: "unknown", scale: unit === "%" ? "percent" : "fitted", height: 64,
    metrics: metrics.map((metric, i) => ({
      metric, label: labelOf(metric.name), shown: true, stacked: false, dashed: i > 2,
    })),
  };
}
