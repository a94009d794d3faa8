#include "store/source_claims.h"

#include <fmt/format.h>

namespace gpulse {

SourceClaim::SourceClaim(SourceClaim&& other) noexcept
    : claims_(std::exchange(other.claims_, nullptr)), source_(std::move(other.source_)) {}

SourceClaim& SourceClaim::operator=(SourceClaim&& other) noexcept {
  std::swap(claims_, other.claims_);
  std::swap(source_, other.source_);
  return *this;
}

SourceClaim::~SourceClaim() {
  if (claims_ == nullptr) return;
  const std::lock_guard lock(claims_->mutex_);
  claims_->files_.erase(source_);
}

Expected<SourceClaim> SourceClaims::claim(const std::string& source, const std::string& file) {
  const std::lock_guard lock(mutex_);
  const auto [held, is_new] = files_.try_emplace(source, file);
  if (!is_new) {
    return input_error(
        fmt::format("{} is the same log as {}, which is being read already", file, held->second));
  }
  return SourceClaim(*this, source);
}

}  // namespace gpulse
