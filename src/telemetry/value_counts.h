// How often a metric had each value: exact, mergeable, and small, since sensors have few distinct
// values. Percentiles, means and deviations follow from it.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "telemetry/sample_batch.h"

namespace gpulse {

// Not thread-safe. Memory follows the number of distinct values, not of readings.
class ValueCounts {
 public:
  void add(const ReadingColumn& column);

  struct Summary {
    std::int64_t count = 0;  // with 0 the rest means nothing
    double min = 0;
    double max = 0;
    double mean = 0;
    double stddev = 0;  // of the sample (n - 1); 0 for a single reading
  };
  [[nodiscard]] Summary summary() const;

  // The q-quantile for q in [0, 1], linearly interpolated between the two nearest readings (numpy's
  // default, DuckDB's quantile_cont). The column must have readings.
  [[nodiscard]] double quantile(double q) const;

  // (value, count) in ascending order of value.
  [[nodiscard]] std::vector<std::pair<double, std::int64_t>> sorted() const;

 private:
  void add_dense(std::span<const std::int32_t> counts, std::span<const std::uint8_t> present);
  void add_sparse(double value, std::int64_t count);
  [[nodiscard]] bool make_room(std::int32_t low, std::int32_t high);

  // Counts of one number of decimals within a small range are counted in an array: the usual case,
  // and the one that a log of gigabytes must be quick in. All else goes to the map.
  int decimals_ = -1;
  std::int64_t dense_base_ = 0;
  std::vector<std::int64_t> dense_;
  std::map<double, std::int64_t> sparse_;
};

}  // namespace gpulse
