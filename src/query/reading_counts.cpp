#include "query/reading_counts.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gpulse {
namespace {

constexpr std::int64_t kWindowMax = std::int64_t{1} << 20;  // 8 MiB
constexpr std::int64_t kWindowMin = 256;
constexpr double kCountMax = 1LL << 50;  // round_to_count is exact below

// The nearest whole number, for |value| < 2^51: std::rint without the call that x86-64 needs for
// it.
double round_to_count(double value) {
  constexpr double kMagic = 6755399441055744.0;  // 1.5 * 2^52
  return (value + kMagic) - kMagic;
}

// numpy's _lerp: from the nearer end, so that both ends come out exactly.
double interpolate(double low, double high, double part) {
  const double step = high - low;
  return part < 0.5 ? low + step * part : high - step * (1 - part);
}

}  // namespace

ReadingCounts::ReadingCounts(int decimals)
    : scale_(std::pow(10.0, std::clamp(decimals, 0, 9))), dense_(decimals <= 9) {}

void ReadingCounts::add(std::span<const double> readings) {
  for (const double reading : readings) {
    if (reading != reading) continue;
    if (!dense_) {
      ++sparse_[reading];
      continue;
    }
    const double count = round_to_count(reading * scale_);
    const bool exact = std::abs(count) < kCountMax && count / scale_ == reading;
    // A position before the base wraps to a huge one and fails the comparison as well.
    const auto position =
        exact ? static_cast<std::uint64_t>(static_cast<std::int64_t>(count) - base_) : ~0ULL;
    if (position < window_.size()) {
      ++window_[position];
    } else if (exact && make_room(static_cast<std::int64_t>(count))) {
      ++window_[static_cast<std::size_t>(static_cast<std::int64_t>(count) - base_)];
    } else {
      give_up_window();
      ++sparse_[reading];
    }
  }
}

// Makes the window hold `count` too, with as much room again on that side; false when it would get
// too wide.
bool ReadingCounts::make_room(std::int64_t count) {
  const auto size = static_cast<std::int64_t>(window_.size());
  if (size == 0) base_ = count - kWindowMin / 2;
  const std::int64_t low = std::min(base_, count);
  const std::int64_t high = std::max(base_ + size, count + 1);
  if (high - low > kWindowMax) return false;
  const std::int64_t wide = std::max(kWindowMin, std::min(kWindowMax, 2 * (high - low)));
  const std::int64_t spare = wide - (high - low);
  const std::int64_t base = count < base_ ? low - spare : low;
  std::vector<std::int64_t> wider(static_cast<std::size_t>(wide));
  std::ranges::copy(window_, wider.begin() + (base_ - base));
  window_ = std::move(wider);
  base_ = base;
  return true;
}

void ReadingCounts::give_up_window() {
  for (const Entry& entry : sorted()) sparse_[entry.value] += entry.count;
  window_ = {};
  dense_ = false;
}

std::vector<ReadingCounts::Entry> ReadingCounts::sorted() const {
  std::vector<Entry> entries;
  for (std::size_t position = 0; position < window_.size(); ++position) {
    if (window_[position] == 0) continue;
    const auto count = static_cast<double>(base_ + static_cast<std::int64_t>(position));
    entries.push_back({count / scale_, window_[position]});
  }
  if (dense_) return entries;
  for (const auto& [value, count] : sparse_) entries.push_back({value, count});
  std::ranges::sort(entries, {}, &Entry::value);
  return entries;
}

double ReadingCounts::mean(std::span<const Entry> entries, std::int64_t count) const {
  long double sum = 0;
  for (const Entry& entry : entries) {
    const double value = dense_ ? round_to_count(entry.value * scale_) : entry.value;
    sum += static_cast<long double>(value) * static_cast<long double>(entry.count);
  }
  const long double scale = dense_ ? static_cast<long double>(scale_) : 1.0L;
  return static_cast<double>(sum / (static_cast<long double>(count) * scale));
}

ReadingCounts::Summary ReadingCounts::summary() const {
  const std::vector<Entry> entries = sorted();
  Summary summary;
  for (const Entry& entry : entries) summary.count += entry.count;
  if (summary.count == 0) return summary;
  summary.mean = mean(entries, summary.count);
  const auto reading_at = [&](std::int64_t rank) {
    for (const Entry& entry : entries) {
      if (rank < entry.count) return entry.value;
      rank -= entry.count;
    }
    return entries.back().value;
  };
  const double rank = 0.95 * static_cast<double>(summary.count - 1);
  const auto below = static_cast<std::int64_t>(rank);
  summary.p95 =
      interpolate(reading_at(below), reading_at(below + 1), rank - static_cast<double>(below));
  return summary;
}

}  // namespace gpulse
