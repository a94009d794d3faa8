// Count, sum, minimum and maximum of one column's readings in a window. The sum is exact, so that
// it is the same however the rows were cut into batches, and whatever width and decimals a batch
// gave its column.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stream/state_codec.h"
#include "stream/window.h"
#include "telemetry/sample_batch.h"

namespace gpulse {

class ReadingSum {
 public:
  // Adds the present readings among rows [from, to) of the column.
  void add(const ReadingColumn& column, std::size_t from, std::size_t to);

  [[nodiscard]] WindowStatistics statistics() const;

  void save(StateWriter& writer) const;
  // Takes what save() wrote of a sum over at most `rows` rows; else the reader turns bad.
  [[nodiscard]] static ReadingSum load(StateReader& reader, std::int64_t rows);

 private:
  void add_counts(std::int64_t count, std::int64_t sum, std::int64_t min, std::int64_t max,
                  int decimals);
  void add_value(double value);
  void add_exact(Int128 sum, int decimals);
  void widen(double min, double max);

  std::int64_t count_ = 0;
  int decimals_ = 0;      // the most that a reading had; sum_ counts in 10^-decimals_
  bool inexact_ = false;  // there were readings that are no decimal number of few digits
  Int128 sum_ = 0;
  double inexact_sum_ = 0;  // theirs, in file order
  double min_ = 0;          // of all readings, correctly rounded; only with count_ > 0
  double max_ = 0;
};

}  // namespace gpulse
