#include "telemetry/value_counts.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gpulse {
namespace {

constexpr std::int64_t kDenseMax = std::int64_t{1} << 18;

double scale_of(int decimals) { return std::pow(10.0, decimals); }

}  // namespace

void ValueCounts::add(const ReadingColumn& column) {
  if (column.is_32_bit() && (decimals_ < 0 || decimals_ == column.decimals())) {
    const auto& counts = std::get<0>(column.counts());
    const auto& present = column.presence();
    std::int32_t low = std::numeric_limits<std::int32_t>::max();
    std::int32_t high = std::numeric_limits<std::int32_t>::min();
    for (std::size_t row = 0; row < counts.size(); ++row) {
      low = std::min(low, present[row] != 0 ? counts[row] : low);
      high = std::max(high, present[row] != 0 ? counts[row] : high);
    }
    if (low > high) return;
    decimals_ = column.decimals();
    if (make_room(low, high)) return add_dense(counts, present);
  }
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (column.present(row)) add_sparse(column.value(row), 1);
  }
}

// Makes the array hold [low, high] too; false when that is too wide for it.
bool ValueCounts::make_room(std::int32_t low, std::int32_t high) {
  if (dense_.empty()) dense_base_ = low;
  const std::int64_t begin = std::min<std::int64_t>(dense_base_, low);
  const std::int64_t end =
      std::max(dense_base_ + static_cast<std::int64_t>(dense_.size()), std::int64_t{high} + 1);
  if (end - begin > kDenseMax) return false;
  if (begin < dense_base_) {
    dense_.insert(dense_.begin(), static_cast<std::size_t>(dense_base_ - begin), 0);
    dense_base_ = begin;
  }
  dense_.resize(static_cast<std::size_t>(end - begin));
  return true;
}

void ValueCounts::add_dense(std::span<const std::int32_t> counts,
                            std::span<const std::uint8_t> present) {
  for (std::size_t row = 0; row < counts.size(); ++row) {
    if (present[row] != 0) ++dense_[static_cast<std::size_t>(counts[row] - dense_base_)];
  }
}

void ValueCounts::add_sparse(double value, std::int64_t count) { sparse_[value] += count; }

std::vector<std::pair<double, std::int64_t>> ValueCounts::sorted() const {
  std::map<double, std::int64_t> all = sparse_;
  std::vector<std::pair<double, std::int64_t>> values;
  const double scale = scale_of(std::max(decimals_, 0));
  for (std::size_t i = 0; i < dense_.size(); ++i) {
    if (dense_[i] == 0) continue;
    const double value = static_cast<double>(dense_base_ + static_cast<std::int64_t>(i)) / scale;
    values.emplace_back(value, dense_[i]);
  }
  if (all.empty()) return values;
  for (const auto& [value, count] : values) all[value] += count;
  return {all.begin(), all.end()};
}

ValueCounts::Summary ValueCounts::summary() const {
  const auto values = sorted();
  Summary result;
  long double sum = 0;
  for (const auto& [value, count] : values) {
    result.count += count;
    sum += static_cast<long double>(value) * static_cast<long double>(count);
  }
  if (result.count == 0) return result;
  const long double mean = sum / static_cast<long double>(result.count);
  long double squares = 0;
  for (const auto& [value, count] : values) {
    const long double distance = static_cast<long double>(value) - mean;
    squares += distance * distance * static_cast<long double>(count);
  }
  result.min = values.front().first;
  result.max = values.back().first;
  result.mean = static_cast<double>(mean);
  if (result.count > 1) {
    result.stddev =
        static_cast<double>(std::sqrt(squares / static_cast<long double>(result.count - 1)));
  }
  return result;
}

double ValueCounts::quantile(double q) const {
  const auto values = sorted();
  std::int64_t total = 0;
  for (const auto& entry : values) total += entry.second;
  const double rank = q * static_cast<double>(total - 1);
  const auto below = static_cast<std::int64_t>(rank);
  const auto at = [&](std::int64_t index) {
    for (const auto& [value, count] : values) {
      if (index < count) return value;
      index -= count;
    }
    return values.back().first;
  };
  const double low = at(below);
  const double high = at(std::min(below + 1, total - 1));
  return low + (high - low) * (rank - static_cast<double>(below));
}

}  // namespace gpulse
