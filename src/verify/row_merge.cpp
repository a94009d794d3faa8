#include "verify/row_merge.h"

#include <algorithm>

namespace gpulse {

Expected<bool> RowMerge::take(const PlaceRow& there) {
  if (there.offset <= mark_) return false;
  mark_ = there.offset;
  if (auto advanced = advance(there.offset); !advanced) return std::unexpected(advanced.error());
  if (!ended_ && batch_->offsets[row_] == there.offset) {
    tally_.found(rows_.rows_before() + static_cast<std::int64_t>(row_), *batch_, row_, there);
  } else {
    tally_.foreign(there.offset, there.time);
  }
  return true;
}

// To the first row of the log at or behind that offset.
Expected<void> RowMerge::advance(std::int64_t offset) {
  while (!ended_ && (batch_ == nullptr || batch_->offsets.back() < offset)) {
    const auto next = rows_.next();
    if (!next) return std::unexpected(next.error());
    batch_ = *next;
    row_ = 0;
    ended_ = batch_ == nullptr;
  }
  if (ended_) return {};
  const auto from = batch_->offsets.begin() + static_cast<std::ptrdiff_t>(row_);
  row_ = static_cast<std::size_t>(std::lower_bound(from, batch_->offsets.end(), offset) -
                                  batch_->offsets.begin());
  return {};
}

}  // namespace gpulse
