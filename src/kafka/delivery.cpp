#include "kafka/delivery.h"

#include <algorithm>

namespace gpulse::kafka {

Delivery::Delivery(std::span<const SampleBatch> batches) {
  parts_.reserve(batches.size());
  for (const SampleBatch& batch : batches) {
    parts_.push_back({&batch, open_, batch.device.host + '/' + batch.device.gpu});
    open_ += batch.rows();
  }
  rows_.assign(open_, Row::waiting);
}

void Delivery::send(std::size_t index, bool alone) {
  rows_[index] = alone ? Row::sent_alone : Row::sent;
  ++outstanding_;
}

void Delivery::take_back(std::size_t index, Row as) {
  rows_[index] = as;
  --outstanding_;
}

void Delivery::finish(std::size_t index) {
  if (rows_[index] == Row::sent || rows_[index] == Row::sent_alone) --outstanding_;
  rows_[index] = Row::done;
  --open_;
}

void Delivery::forget_outstanding() {
  std::ranges::replace(rows_, Row::sent, Row::waiting);
  std::ranges::replace(rows_, Row::sent_alone, Row::suspect);
  outstanding_ = 0;
}

RefusedRecord Delivery::identity(std::size_t index) const {
  const auto after = std::ranges::upper_bound(parts_, index, {}, &Part::first);
  const Part& part = *std::prev(after);
  return {part.batch->device, part.batch->source, part.batch->offsets[index - part.first], {}};
}

}  // namespace gpulse::kafka
