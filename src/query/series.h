// Readings over time, thinned to what a chart can show without losing a single second's extreme.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "store/history.h"
#include "telemetry/error.h"
#include "telemetry/metric.h"
#include "telemetry/timestamp.h"

namespace gpulse {

inline constexpr std::size_t kSeriesPointsMin = 2;
inline constexpr std::size_t kSeriesPointsMax = 20'000;
inline constexpr std::size_t kSeriesPointsDefault = 1'000;

struct SeriesRequest {
  std::vector<std::string> metrics;
  Timestamp from;  // both inclusive
  Timestamp to;
  std::size_t points = kSeriesPointsDefault;
};

// For how long a bit mask stood at `value`, one per entry of the series.
struct ValueSeconds {
  std::int64_t value = 0;
  std::vector<std::chrono::microseconds> durations;
};

// Columns of equal length, in order of time. An entry with count 0 is a gap or a column without a
// reading: its min, max and mean are NaN.
struct MetricSeries {
  MetricRecord metric;
  MetricKind kind = MetricKind::gauge;
  std::vector<Timestamp> times;
  std::vector<std::int64_t> counts;  // present readings
  std::vector<double> min;           // these three are empty for a bit mask,
  std::vector<double> max;
  std::vector<double> mean;
  std::vector<ValueSeconds> values;  // which has this instead, in order of value
};

struct SeriesResult {
  Timestamp from;
  Timestamp to;
  bool raw = false;  // one entry a row; else one a column that has rows
  std::vector<MetricSeries> series;  // as asked, in that order
};

// Raw when rows and gaps together are at most `points`; else [from, to] in `points` columns of
// equal width. A gap is a step over the session's gap limit, or another session; it gets one entry
// of its own: half-way between the two rows in raw, in the first empty column otherwise. No metric
// ever has more than `points` entries.
//
// Usage errors: a metric that neither the device nor the catalogue knows, points out of bounds,
// from > to. A known metric without rows in the range has empty columns. Pure, but for reading
// `history`; any thread.
[[nodiscard]] Expected<SeriesResult> query_series(const History& history,
                                                  const DeviceRecord& device,
                                                  const SeriesRequest& request);

}  // namespace gpulse
