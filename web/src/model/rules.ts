import type { Rule } from "../api/types";

export type Closeness = "ok" | "near" | "over";

/** Names that a rule's line has beside it: the topic says the rest. */
const short: Record<string, string> = {
  gpu_temperature: "GPU", hot_spot_temperature: "hot spot", memory_temperature: "VRAM",
  hottest_memory_chip_temperature: "VRAM chip", cpu_temperature: "CPU", board_power_draw: "board", gpu_load: "GPU",
};

export function shortName(metric: string): string {
  return short[metric] ?? metric.replace(/_/g, " ");
}

/** Where a reading stands to a rule: near is within 5 °C of it, or 5 % for other units. */
export function closeness(value: number, rule: Rule, unit: string): Closeness {
  const over = rule.above ? value > rule.limit : value < rule.limit;
  if (over) return "over";
  const margin = unit === "°C" ? 5 : Math.abs(rule.limit) * 0.05;
  const distance = rule.above ? rule.limit - value : value - rule.limit;
  return distance <= margin ? "near" : "ok";
}

/** The rule that a metric is shown with. Rules for information (load) colour nothing. */
export function ruleOf(rules: readonly Rule[], metric: string): Rule | undefined {
  return rules.find((r) => r.metric === metric && r.severity !== "info") ?? rules.find((r) => r.metric === metric);
}

export function stateOf(value: number, rule: Rule | undefined, unit: string): Closeness {
  return rule && rule.severity !== "info" ? closeness(value, rule, unit) : "ok";
}
