// The shapes of /api/v1. Instants are RFC 3339 strings, except in series, where they are
// milliseconds since 1970.

export type DeviceState = "live" | "stale" | "ended";
export type Severity = "info" | "warning" | "critical";

export interface Metric {
  name: string;
  unit: string;
  kind: "gauge" | "counter" | "bitmask";
  group: string;
  decimals: number;
}

export interface Device {
  host: string;
  gpu: string;
  state: DeviceState;
  timezone: string;
  rows: number;
  first: string;
  last: string;
  last_arrival: string;
  /** Time of its last row, should that be ahead of the clock. */
  ahead: string | null;
  usual_step: number;
  metrics: Metric[];
}

export interface ApiSeries {
  metric: string;
  unit: string;
  time: number[];
  min?: (number | null)[];
  max?: (number | null)[];
  mean?: (number | null)[];
  count: number[];
  values?: { value: number; seconds: number[] }[];
}

export interface QueryResult {
  from: string;
  to: string;
  raw: boolean;
  series: ApiSeries[];
}

export interface Reading {
  value: number;
  time: string;
}

export interface Above {
  rule: string;
  limit: number;
  severity: Severity;
  seconds: number;
  first: string | null;
  last: string | null;
}

export interface MetricStats {
  metric: string;
  unit: string;
  rows: number;
  absent: number;
  count: number;
  constant: boolean;
  first: Reading | null;
  last: Reading | null;
  min: Reading | null;
  max: Reading | null;
  mean: number | null;
  p95: number | null;
  above: Above[];
}

export type LaneName =
  | "power"
  | "thermal"
  | "reliability_voltage"
  | "operating_voltage"
  | "sli"
  | "not_limited"
  | "idle";

export interface Lane {
  lane: LaneName;
  seconds: number;
  share: number;
  spans: { from: string; to: string }[];
  cut?: boolean;
}

export interface Stats {
  from: string;
  to: string;
  rows: number;
  seconds: number;
  metrics: MetricStats[];
  limits: { metric: string; seconds: number; lanes: Lane[] } | null;
}

export interface Answer {
  question: string;
  level: "ok" | "near" | "over" | "was_over" | "limited" | "unknown";
  sentence: string;
  evidence: string;
  from?: string | null;
  to?: string | null;
}

export interface Answers {
  from: string;
  to: string;
  too_hot: Answer;
  held_back: Answer;
  what_changed: Answer;
}

export interface Rule {
  rule: string;
  metric: string;
  limit: number;
  release: number;
  for_seconds: number;
  severity: Severity;
  above: boolean;
}

/** A place that rows are sent to, beside being kept; counts are since gpulse started. */
export interface Outlet {
  to: string;
  state: "idle" | "connected" | "away" | "refused";
  reason: string;
  rows: number;
  set_aside: number;
  dropped: number;
  last_taken: string | null;
}

export interface Health {
  /** Files in which rows are awaited. */
  followed: string[];
  /** Places in which a log is looked for, while none is known. */
  searched: string[];
}

export interface Source {
  source: string;
  file: string;
  bytes: number;
  rows: number;
  sessions: number;
  set_aside: number;
  set_aside_detail: { offset: number; bytes: number; reason: string }[];
  absent: { count: number; first: string | null; last: string | null };
  first: string;
  last: string;
  longest_step: { seconds: number; at: string } | null;
}

export interface Session {
  source: string;
  session: number;
  first: string;
  last: string;
  rows: number;
  seconds: number;
  usual_step: number;
  gpu_temperature_max: number | null;
  energy_kwh: number | null;
  columns: string[];
}

export interface Window {
  source: string;
  session: number;
  from: string;
  to: string;
  rows: number;
  final: boolean;
  metrics: Record<string, { count: number; mean: number | null; min: number | null; max: number | null }>;
}

export interface Alert {
  host: string;
  gpu: string;
  source: string;
  session: number;
  rule: string;
  metric: string;
  unit: string;
  limit: number;
  release: number;
  severity: Severity;
  state: "firing" | "ended";
  began: string;
  ended: string | null;
  end_reason: string | null;
  seconds: number;
  peak: number;
  peak_at: string;
}

export interface Job {
  job: string;
  name: string;
  state: "waiting" | "reading" | "done" | "cancelled" | "failed";
  bytes: number;
  bytes_read: number;
  rows: number;
  sessions: number;
  set_aside: number;
  host: string | null;
  gpu: string | null;
  error: { message: string; begins_with: string } | null;
}

export interface RowsEvent {
  host: string;
  gpu: string;
  source: string;
  session: number;
  metrics: string[];
  rows: (number | null)[][];
  dropped: number;
}
