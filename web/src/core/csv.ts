import type { ApiSeries } from "../api/types";

/** Comma-separated values of series: a line a row, or a column of pixels with its least, mean and most. */
export function csvOf(series: readonly ApiSeries[], raw: boolean): string {
  const times = [...new Set(series.flatMap((s) => s.time.filter((_, i) => (s.count[i] ?? 0) > 0)))].sort((a, b) => a - b);
  const columns = series.flatMap((s) => {
    const index = new Map(s.time.map((t, i) => [t, i]));
    const column = (head: string, values: (number | null)[] | undefined) => ({
      head, cell: (time: number) => values?.[index.get(time) ?? -1] ?? "",
    });
    return raw
      ? [column(s.metric, s.mean)]
      : [column(s.metric + "_min", s.min), column(s.metric + "_mean", s.mean), column(s.metric + "_max", s.max)];
  });
  const lines = [["time", ...columns.map((c) => c.head)].join(",")];
  for (const time of times) lines.push([new Date(time).toISOString(), ...columns.map((c) => c.cell(time))].join(","));
  return lines.join("\r\n") + "\r\n";
}
