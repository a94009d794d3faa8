#include "store/reader_pool.h"

namespace gpulse {

ReaderPool::Lease::~Lease() {
  if (reader_ == nullptr) return;
  const std::lock_guard lock(pool_->mutex_);
  pool_->idle_.push_back(std::move(reader_));
}

Expected<ReaderPool::Lease> ReaderPool::lease() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto reader = std::move(idle_.back());
      idle_.pop_back();
      return Lease(*this, std::move(reader));
    }
  }
  auto reader = LedgerReader::open(file_);
  if (!reader) return std::unexpected(reader.error());
  return Lease(*this, std::move(*reader));
}

}  // namespace gpulse
