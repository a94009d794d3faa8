// PerfCap's bits as lanes over time. Of use inside query/ only.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "query/row_walk.h"
#include "query/statistics.h"

namespace gpulse {

// Takes the rows of a walk. Not thread-safe.
class LimitTime {
 public:
  // `load` may be empty: then nothing is called idle.
  void add(const TimedBlock& block, std::span<const double> perfcap, std::span<const double> load);

  // nullopt when no reading of PerfCap came.
  [[nodiscard]] std::optional<LimitStatistics> statistics() &&;

 private:
  void extend(LimitLane lane, Timestamp time, std::chrono::microseconds duration);

  bool any_ = false;
  LimitStatistics statistics_;
};

}  // namespace gpulse
