// Statistics of a range: one table row per metric, time beyond each rule, and what held the card
// back.
//
// A row stands for the time until the next row of its session, at most the session's gap limit; the
// last row of a session for the session's usual step. All times here are sums of those.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "store/history.h"
#include "stream/alert.h"
#include "telemetry/error.h"
#include "telemetry/metric.h"
#include "telemetry/timestamp.h"

namespace gpulse {

struct TimeRange {
  Timestamp from;
  Timestamp to;

  friend bool operator==(const TimeRange&, const TimeRange&) = default;
};

struct ReadingAt {
  double value = 0;
  Timestamp time;
};

// Time beyond a rule's limit, whether or not it lasted long enough for an alert.
struct RuleStatistics {
  AlertRule rule;
  std::chrono::microseconds duration{0};
  std::optional<Timestamp> first;  // the first and last row beyond it
  std::optional<Timestamp> last;
  std::vector<TimeRange> spans;  // the first kRuleSpansMax, in order of time
};
inline constexpr std::size_t kRuleSpansMax = 50;

struct ValueDuration {
  std::int64_t value = 0;
  std::chrono::microseconds duration{0};
};

struct MetricStatistics {
  MetricRecord metric;
  MetricKind kind = MetricKind::gauge;
  std::int64_t rows = 0;  // of sessions that have its column
  std::int64_t absent = 0;
  std::int64_t count = 0;  // present; rows = absent + count
  bool constant = false;  // there are readings, and all are equal
  std::optional<ReadingAt> first;  // nullopt with count 0
  std::optional<ReadingAt> last;
  std::optional<ReadingAt> min;  // where equal, the first
  std::optional<ReadingAt> max;
  std::optional<double> mean;
  std::optional<double> p95;  // exact, interpolated linearly as numpy does by default
  std::vector<RuleStatistics> above;  // one per rule of this metric
  std::vector<ValueDuration> values;  // bit masks only, longest first
};

// What PerfCap says, one lane per reason. Bits combine, so lanes may overlap.
enum class LimitLane {
  power,
  thermal,
  reliability_voltage,
  operating_voltage,
  sli,
  not_limited,
  idle,
};
inline constexpr std::size_t kLimitLanes = 7;
[[nodiscard]] std::string_view to_string(LimitLane lane);
// Whether this lane is a limit: the first five are.
[[nodiscard]] constexpr bool is_limit(LimitLane lane) { return lane < LimitLane::not_limited; }

// Bits of perfcap_reason. Utilisation is no limit: real logs carry it in every row, at any load.
inline constexpr std::int64_t kPerfcapPower = 1;
inline constexpr std::int64_t kPerfcapThermal = 2;
inline constexpr std::int64_t kPerfcapReliabilityVoltage = 4;
inline constexpr std::int64_t kPerfcapOperatingVoltage = 8;
inline constexpr std::int64_t kPerfcapUtilisation = 16;
inline constexpr std::int64_t kPerfcapSli = 32;
inline constexpr std::int64_t kPerfcapLimits = 1 | 2 | 4 | 8 | 32;

struct LimitLaneStatistics {
  LimitLane lane = LimitLane::power;
  std::chrono::microseconds duration{0};
  double share = 0;  // 0..1 of LimitStatistics::duration
  std::vector<TimeRange> spans;  // merged, in order of time, at most kLimitSpansMax
  bool cut = false;  // there were more; the shortest pauses between them were closed
};
inline constexpr std::size_t kLimitSpansMax = 500;

struct LimitStatistics {
  std::chrono::microseconds duration{0};  // of the rows with a PerfCap reading
  std::chrono::microseconds limited{0};  // of those, with any limiting bit
  std::array<LimitLaneStatistics, kLimitLanes> lanes;  // all seven, in the order of LimitLane
};

struct RangeStatistics {
  Device device;
  Timestamp from;
  Timestamp to;
  std::int64_t rows = 0;
  std::chrono::microseconds duration{0};
  std::vector<MetricStatistics> metrics;  // those with rows in the range, in the device's order
  std::optional<LimitStatistics> limits;  // nullopt when no row has a PerfCap reading
};

// Usage error: from > to; others are the history's. Pure, but for reading `history`; any thread.
[[nodiscard]] Expected<RangeStatistics> range_statistics(const History& history,
                                                         const DeviceRecord& device,
                                                         TimeRange range,
                                                         std::span<const AlertRule> rules);

}  // namespace gpulse
