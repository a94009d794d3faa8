// What `gpulse verify` prints. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "verify/place.h"

namespace gpulse::cli {

// A place that could not be asked has an error, and no logs in its report.
struct PlaceOutcome {
  PlaceReport report;
  std::string error;

  [[nodiscard]] bool holds() const { return error.empty() && report.faults() == 0; }
  // What people call its kind.
  [[nodiscard]] std::string_view word() const {
    return report.kind == "influxdb" ? "bucket" : std::string_view(report.kind);
  }
};

// For people, by place; the log's own wall clock.
[[nodiscard]] std::string verify_text(std::span<const LogUnderTest> logs,
                                      std::span<const PlaceOutcome> places);
// The same as one JSON object, described in docs/real-time-path.md.
[[nodiscard]] std::string verify_json(std::span<const LogUnderTest> logs,
                                      std::span<const PlaceOutcome> places);

}  // namespace gpulse::cli
