// The Flux that turns readings into their means, minima and maxima by the minute and by the hour.
//
// Bucket gpu-metrics-1m (and -1h) holds measurement gpu_metrics with the same tags and fields as
// gpu-metrics, and the tag `aggregate`: mean, min or max. A point's time is the begin of its minute
// (or hour). Running it again over the same time writes the same points.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "telemetry/timestamp.h"

namespace gpulse {

struct Downsampling {
  std::string_view suffix;  // of bucket and task
  std::string_view every;  // the width of its points, as Flux has it
  // What a run goes back: rows that came later than that are --backfill's.
  std::string_view look_back;
  std::chrono::seconds piece;  // of old data at a time
};

inline constexpr std::array<Downsampling, 2> kDownsamplings{{
    {"-1m", "1m", "15m", std::chrono::hours(24)},
    {"-1h", "1h", "3h", std::chrono::hours(24) * 7},
}};

// "gpu-metrics-1m"; also the name of the task.
[[nodiscard]] std::string downsampled_bucket(std::string_view bucket,
                                             const Downsampling& downsampling);
// The whole task, which InfluxDB runs by itself.
[[nodiscard]] std::string downsampling_task(std::string_view bucket,
                                            const Downsampling& downsampling);
// A query that does the same once for [from, until), both on a border of its points.
[[nodiscard]] std::string downsampling_query(std::string_view bucket,
                                             const Downsampling& downsampling, Timestamp from,
                                             Timestamp until);

}  // namespace gpulse
