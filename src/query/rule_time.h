// How long a metric was beyond a rule's limit, and whether for long enough. Of use inside query/
// only.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "query/row_walk.h"
#include "query/statistics.h"
#include "stream/alert.h"

namespace gpulse {

// Takes the rows of a walk. Not thread-safe.
class RuleTime {
 public:
  explicit RuleTime(const AlertRule& rule) { statistics_.rule = rule; }

  void add(const TimedBlock& block, std::span<const double> readings);

  // Readings beyond the limit without one between that was not; absent ones do not end it.
  struct Run {
    Timestamp first;
    Timestamp last;
    std::chrono::microseconds duration{0};
    ReadingAt furthest;  // beyond the limit; where equal, the first
  };
  // The run that the newest reading belongs to.
  [[nodiscard]] const std::optional<Run>& current() const { return current_; }
  // Of the runs as long as the rule asks for, the one that went furthest beyond the limit.
  [[nodiscard]] const std::optional<Run>& furthest_held() const { return held_; }

  [[nodiscard]] const RuleStatistics& statistics() const { return statistics_; }
  [[nodiscard]] const AlertRule& rule() const { return statistics_.rule; }

 private:
  void add_beyond(Timestamp time, double reading, std::chrono::microseconds duration);

  RuleStatistics statistics_;
  std::optional<Timestamp> span_end_;
  std::optional<Run> current_;
  std::optional<Run> held_;
  std::size_t session_ = 0;
};

}  // namespace gpulse
