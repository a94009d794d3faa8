// What this process costs, for /metrics and the benchmarks.
#pragma once

#include <chrono>
#include <cstdint>

#include "telemetry/error.h"
#include "telemetry/timestamp.h"

namespace gpulse {

struct ProcessStats {
  std::chrono::microseconds cpu;  // user and system time of all threads since the start
  std::int64_t resident_bytes;
  std::int64_t open_files;  // descriptors or handles
  Timestamp started;        // to a second or so
};

// An operation error where the system does not tell. Any thread; costs some 50 µs.
[[nodiscard]] Expected<ProcessStats> process_stats();

}  // namespace gpulse
