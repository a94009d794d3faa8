#include "influxdb/downsampling.h"

#include <fmt/format.h>

#include "influxdb/flux.h"
#include "influxdb/line_protocol.h"
#include "telemetry/metric.h"

namespace gpulse {
namespace {

// Half a minute for rows that are on their way; what comes later is in the next run.
constexpr std::string_view kTask = R"(import "date"

option task = {{name: {name}, every: {every}, offset: 30s}}

until = date.truncate(t: now(), unit: {every})
from_ = date.sub(d: {look_back}, from: until)
)";

constexpr std::string_view kOnce = R"(from_ = {from}
until = {until}
)";

// Each aggregate reads for itself, since InfluxDB computes it in its store only when nothing else
// hangs on the same read. One `union`, since a task's results must not share a name.
constexpr std::string_view kBody = R"(
aggregate = (fn, name) =>
    from(bucket: {bucket})
        |> range(start: from_, stop: until)
        |> filter(fn: (r) => r._measurement == {measurement}{no_number})
        |> aggregateWindow(every: {every}, fn: fn, createEmpty: false, timeSrc: "_start")
        |> set(key: "aggregate", value: name)

union(
    tables: [
        aggregate(fn: mean, name: "mean"),
        aggregate(fn: min, name: "min"),
        aggregate(fn: max, name: "max"),
    ],
)
    |> to(bucket: {target})
)";

// Places in a file and bit masks have no mean.
std::string no_number_filter() {
  std::string out = R"( and r._field != "offset")";
  for (const Metric& metric : MetricCatalogue::get().metrics()) {
    if (metric.kind == MetricKind::bitmask) {
      out += " and r._field != " + flux_string(metric.name);
    }
  }
  return out;
}

std::string body(std::string_view bucket, const Downsampling& downsampling) {
  return fmt::format(fmt::runtime(kBody), fmt::arg("bucket", flux_string(bucket)),
                     fmt::arg("measurement", flux_string(kMeasurement)),
                     fmt::arg("no_number", no_number_filter()),
                     fmt::arg("every", downsampling.every),
                     fmt::arg("target", flux_string(downsampled_bucket(bucket, downsampling))));
}

}  // namespace

std::string downsampled_bucket(std::string_view bucket, const Downsampling& downsampling) {
  return std::string(bucket) + std::string(downsampling.suffix);
}

std::string downsampling_task(std::string_view bucket, const Downsampling& downsampling) {
  return fmt::format(fmt::runtime(kTask),
                     fmt::arg("name", flux_string(downsampled_bucket(bucket, downsampling))),
                     fmt::arg("every", downsampling.every),
                     fmt::arg("look_back", downsampling.look_back)) +
         body(bucket, downsampling);
}

std::string downsampling_query(std::string_view bucket, const Downsampling& downsampling,
                               Timestamp from, Timestamp until) {
  return fmt::format(fmt::runtime(kOnce), fmt::arg("from", to_rfc3339(from)),
                     fmt::arg("until", to_rfc3339(until))) +
         body(bucket, downsampling);
}

}  // namespace gpulse
