#include "stream/reading_sum.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

namespace gpulse {
namespace {

constexpr int kDecimalsMax = 9;
constexpr std::array<std::int64_t, kDecimalsMax + 1> kPowersOf10 = [] {
  std::array<std::int64_t, kDecimalsMax + 1> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();
constexpr std::int64_t kExactMax = std::int64_t{1} << 53;
// Up to 15 digits a double tells all decimal numbers apart. Beyond, a reading counts as the
// shortest decimal number that its double can stand for, whether it came as a count or as a double:
// which of the two depends on its neighbours in the batch.
constexpr std::int64_t kDistinctMax = 1'000'000'000'000'000;

std::int64_t power_of_10(int decimals) { return kPowersOf10[static_cast<std::size_t>(decimals)]; }

double quotient(std::int64_t count, int decimals) {
  return static_cast<double>(count) / static_cast<double>(power_of_10(decimals));
}

std::optional<std::int64_t> count_of(double value, int decimals) {
  const double scaled = std::nearbyint(value * static_cast<double>(power_of_10(decimals)));
  if (!(std::abs(scaled) <= static_cast<double>(kExactMax))) return std::nullopt;
  const auto count = static_cast<std::int64_t>(scaled);
  if (quotient(count, decimals) != value) return std::nullopt;
  return count;
}

struct Extent {
  std::int64_t count = 0;
  std::int64_t sum = 0;
  std::int32_t min = std::numeric_limits<std::int32_t>::max();
  std::int32_t max = std::numeric_limits<std::int32_t>::min();
};

// Branch-free, so that the compiler can take four rows at once.
Extent extent_of(const std::int32_t* counts, const std::uint8_t* present, std::size_t rows) {
  Extent extent;
  for (std::size_t row = 0; row < rows; ++row) {
    const bool there = present[row] != 0;
    extent.count += there;
    extent.sum += there ? counts[row] : 0;
    extent.min = std::min(extent.min, there ? counts[row] : extent.min);
    extent.max = std::max(extent.max, there ? counts[row] : extent.max);
  }
  return extent;
}

// The double nearest to sum / (10^decimals * count), or next to it when more than 2^53 is involved;
// the same for every way to write the same sum.
double mean_of(Int128 sum, int decimals, std::int64_t count) {
  const auto exact = [&] {
    return sum <= kExactMax && sum >= -kExactMax && count <= kExactMax / power_of_10(decimals);
  };
  while (!exact() && decimals > 0 && sum % 10 == 0) {
    sum /= 10;
    --decimals;
  }
  if (exact()) return static_cast<double>(sum) / static_cast<double>(power_of_10(decimals) * count);
  return static_cast<double>(static_cast<long double>(sum) /
                             static_cast<long double>(power_of_10(decimals)) /
                             static_cast<long double>(count));
}

}  // namespace

void ReadingSum::add(const ReadingColumn& column, std::size_t from, std::size_t to) {
  const std::uint8_t* present = column.presence().data();
  if (const auto* narrow = std::get_if<std::vector<std::int32_t>>(&column.counts())) {
    const Extent extent = extent_of(narrow->data() + from, present + from, to - from);
    if (extent.count == 0) return;
    return add_counts(extent.count, extent.sum, extent.min, extent.max, column.decimals());
  }
  for (std::size_t row = from; row < to; ++row) {
    if (present[row] == 0) continue;
    if (column.is_double() || std::abs(column.count(row)) >= kDistinctMax) {
      add_value(column.value(row));
    } else {
      const std::int64_t count = column.count(row);
      add_counts(1, count, count, count, column.decimals());
    }
  }
}

void ReadingSum::add_counts(std::int64_t count, std::int64_t sum, std::int64_t min,
                            std::int64_t max, int decimals) {
  add_exact(sum, decimals);
  widen(quotient(min, decimals), quotient(max, decimals));
  count_ += count;
}

void ReadingSum::add_value(double value) {
  std::optional<std::int64_t> count;
  int decimals = 0;
  for (; decimals <= kDecimalsMax; ++decimals) {
    count = count_of(value, decimals);
    if (count) break;
  }
  if (count) {
    add_exact(*count, decimals);
  } else {
    inexact_ = true;
    inexact_sum_ += value;
  }
  widen(value, value);
  ++count_;
}

void ReadingSum::add_exact(Int128 sum, int decimals) {
  if (decimals > decimals_) {
    sum_ *= power_of_10(decimals - decimals_);
    decimals_ = decimals;
  }
  sum_ += sum * power_of_10(decimals_ - decimals);
}

void ReadingSum::widen(double min, double max) {
  min_ = count_ == 0 ? min : std::min(min_, min);
  max_ = count_ == 0 ? max : std::max(max_, max);
}

WindowStatistics ReadingSum::statistics() const {
  WindowStatistics statistics;
  statistics.count = count_;
  if (count_ == 0) return statistics;
  statistics.mean = mean_of(sum_, decimals_, count_);
  if (inexact_) statistics.mean += inexact_sum_ / static_cast<double>(count_);
  statistics.min = min_;
  statistics.max = max_;
  return statistics;
}

// Minimum and maximum mostly are counts of few digits: two bytes each instead of eight.
void ReadingSum::save(StateWriter& writer) const {
  writer.unsigned_number(static_cast<std::uint64_t>(count_));
  if (count_ == 0) return;
  const auto min = count_of(min_, decimals_);
  const auto max = count_of(max_, decimals_);
  const bool plain = !inexact_ && min && max;
  writer.byte(static_cast<std::uint8_t>(decimals_ | (plain ? 0 : 0x10) | (inexact_ ? 0x20 : 0)));
  writer.number(sum_);
  if (plain) {
    writer.number(*min);
    writer.number(*max);
  } else {
    writer.real(min_);
    writer.real(max_);
    writer.real(inexact_sum_);
  }
}

ReadingSum ReadingSum::load(StateReader& reader, std::int64_t rows) {
  ReadingSum sum;
  sum.count_ = reader.unsigned_number(rows);
  if (sum.count_ == 0) return sum;
  const std::uint8_t flags = reader.byte();
  sum.decimals_ = flags & 0x0f;
  sum.inexact_ = (flags & 0x20) != 0;
  sum.sum_ = reader.wide();
  reader.require(sum.decimals_ <= kDecimalsMax);
  if (!reader.good()) return {};
  // Larger than any readings could make it, it might overflow later.
  const Int128 sum_max = static_cast<Int128>(kExactMax) * power_of_10(sum.decimals_) * sum.count_;
  reader.require(sum.sum_ <= sum_max && sum.sum_ >= -sum_max);
  if ((flags & 0x10) == 0) {
    sum.min_ = quotient(reader.number(-kExactMax, kExactMax), sum.decimals_);
    sum.max_ = quotient(reader.number(-kExactMax, kExactMax), sum.decimals_);
  } else {
    sum.min_ = reader.real();
    sum.max_ = reader.real();
    sum.inexact_sum_ = reader.real();
  }
  reader.require(std::isfinite(sum.min_) && std::isfinite(sum.max_) && sum.min_ <= sum.max_ &&
                 std::isfinite(sum.inexact_sum_));
  return sum;
}

}  // namespace gpulse
