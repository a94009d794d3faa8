// Compares what comes in the order of the log, as the ledger and a partition of a topic hold it.
#pragma once

#include "verify/row_tally.h"

namespace gpulse {

// Reads the log beside what it is given, so that neither has to be in memory. Not thread-safe; the
// tally, which it tells all to, must outlive it.
class RowMerge {
 public:
  explicit RowMerge(RowTally& tally) : tally_(tally), rows_(tally.log()) {}

  // False, and nothing is done, when the row is not behind all those before it. Errors are of
  // reading the log.
  [[nodiscard]] Expected<bool> take(const PlaceRow& there);

 private:
  [[nodiscard]] Expected<void> advance(std::int64_t offset);

  RowTally& tally_;
  LogRows rows_;
  const SampleBatch* batch_ = nullptr;
  std::size_t row_ = 0;  // of the batch: the first at or behind the mark
  bool ended_ = false;
  std::int64_t mark_ = -1;  // offset of the last row that was taken
};

}  // namespace gpulse
