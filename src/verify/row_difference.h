// Whether what a place holds of a sample is what the log says. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "telemetry/sample_batch.h"

namespace gpulse {

struct PlaceReading {
  std::string_view name;
  std::optional<double> value;  // none: absent, the same as not being there
};

// A sample as a place holds it. Views, valid as long as the place says.
struct PlaceRow {
  std::int64_t offset = 0;
  Timestamp time;
  std::optional<std::int64_t> session;  // where the place keeps it
  std::span<const PlaceReading> readings;
};

struct RowDifference {
  std::string what;  // "gpu_temperature is 64 there, 63.0 in the log"
  // By how much the time there is later than it should be; zero when it is not the time.
  std::chrono::microseconds later{0};
};

// The first thing that differs, the time before all else; none when nothing does. `shift` is what a
// replay added to the log's times. Numbers are the same only if they are so to the last bit; one
// that is no number (NaN, infinite) counts as absent.
[[nodiscard]] std::optional<RowDifference> first_difference(const SampleBatch& log, std::size_t row,
                                                            std::chrono::microseconds shift,
                                                            const PlaceRow& there);

}  // namespace gpulse
