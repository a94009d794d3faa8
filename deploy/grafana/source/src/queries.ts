// Queries as panels hold them. Grafana puts the time range into v.timeRangeStart and v.timeRangeStop, the width
// of a pixel into v.windowPeriod, the data source's bucket into v.defaultBucket.

import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";

import { flux, influxql, limits, prometheus } from "./words";

/** One card, by the variables of a dashboard that shows one. */
export const oneCard = 'r.host == "${host}" and r.gpu == "${gpu}"';
/** Any of the cards that are chosen; their names as regular expressions. */
export const chosenCards = "r.host =~ /^${host:regex}$/ and r.gpu =~ /^${gpu:regex}$/";

export const dashboardRange = "start: v.timeRangeStart, stop: v.timeRangeStop";

const anyOf = (fields: readonly string[]) => fields.map((field) => `r._field == "${field}"`).join(" or ");

export interface Rows {
  cards: string;
  fields: readonly string[];
  range?: string;
}

/** Rows as they were logged. */
export function readings({ cards, fields, range = dashboardRange }: Rows): string {
  return `from(bucket: v.defaultBucket)
  |> range(${range})
  |> filter(fn: (r) => r._measurement == "gpu_metrics" and ${cards})
  |> filter(fn: (r) => ${anyOf(fields)})`;
}

/** What a minute's readings came to: their mean, minimum or maximum. */
export function minutes({ cards, fields, range = dashboardRange }: Rows, aggregate: "mean" | "min" | "max"): string {
  return `from(bucket: v.defaultBucket + "-1m")
  |> range(${range})
  |> filter(fn: (r) => r._measurement == "gpu_metrics" and r.aggregate == "${aggregate}" and ${cards})
  |> filter(fn: (r) => ${anyOf(fields)})`;
}

/** A column a field. A card's logs, which are sources of their own, are one. */
export const columns = `  |> group()
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> sort(columns: ["_time"])`;

/**
 * The mean of each pixel column, a column a field, with nothing where no rows are. The first step is the one that
 * InfluxDB does inside its store; the second brings a card's logs together and adds the empty windows.
 */
export function series(fields: readonly string[]): string {
  return `${readings({ cards: oneCard, fields })}
  |> aggregateWindow(every: v.windowPeriod, fn: mean, createEmpty: false, timeSrc: "_start")
  |> group(columns: ["_start", "_stop", "_field"])
  |> aggregateWindow(every: v.windowPeriod, fn: mean, timeSrc: "_start")
${columns}`;
}

/** The newest reading of each field within a minute. */
export function now(fields: readonly string[]): string {
  return `${readings({ cards: oneCard, fields, range: "start: -1m" })}
  |> last()
  |> group(columns: ["_field"])
  |> sort(columns: ["_time"])
  |> last()
  |> group()
  |> pivot(rowKey: [], columnKey: ["_field"], valueColumn: "_value")`;
}

/** Flux that tells whether a mask has one of the bits that hold a card back. */
export const limited = `limited = (mask) => ${limits.map(({ bit }) => `int(v: mask) / ${bit} % 2 == 1`).join(" or ")}`;

class InfluxQuery implements Builder<Dataquery> {
  constructor(private readonly model: Record<string, unknown>) {}

  build(): Dataquery {
    // The interface has a marker method, which is no part of what Grafana reads.
    return this.model as unknown as Dataquery;
  }
}

export function fluxQuery(query: string, refId = "A"): Builder<Dataquery> {
  return new InfluxQuery({ refId, datasource: flux, query });
}

/** `alias` names the series, with $tag_host for its tag host. */
export function influxqlQuery(query: string, alias: string, refId = "A"): Builder<Dataquery> {
  return new InfluxQuery({ refId, datasource: influxql, query, rawQuery: true, resultFormat: "time_series", alias });
}

function promBase(expression: string, legend: string, refId: string): DataqueryBuilder {
  return new DataqueryBuilder().refId(refId).datasource(prometheus).expr(expression).legendFormat(legend);
}

export function promQuery(expression: string, legend: string, refId = "A"): Builder<Dataquery> {
  return promBase(expression, legend, refId).range();
}

/** Only the newest values. */
export function promNow(expression: string, legend: string, refId = "A"): Builder<Dataquery> {
  return promBase(expression, legend, refId).instant();
}
