#include "telemetry/sample_batch.h"

#include <algorithm>
#include <array>
#include <limits>

namespace gpulse {
namespace {

constexpr int kDecimalsMax = 9;
constexpr std::array<std::int64_t, 19> kPowersOf10 = [] {
  std::array<std::int64_t, 19> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();
// The count must be exact as a double for count / 10^decimals to be correctly rounded.
constexpr std::int64_t kExactMax = std::int64_t{1} << 53;

std::int64_t power_of_10(int decimals) { return kPowersOf10[static_cast<std::size_t>(decimals)]; }

bool fits_32(std::int64_t count) {
  return count >= std::numeric_limits<std::int32_t>::min() &&
         count <= std::numeric_limits<std::int32_t>::max();
}

double quotient(std::int64_t count, int decimals) {
  return static_cast<double>(count) / static_cast<double>(power_of_10(decimals));
}

}  // namespace

double ReadingColumn::value(std::size_t row) const {
  if (!present(row)) return std::numeric_limits<double>::quiet_NaN();
  if (const auto* narrow = std::get_if<0>(&counts_)) return quotient((*narrow)[row], decimals_);
  if (const auto* wide = std::get_if<1>(&counts_)) return quotient((*wide)[row], decimals_);
  return std::get<2>(counts_)[row];
}

std::int64_t ReadingColumn::count(std::size_t row) const {
  if (const auto* narrow = std::get_if<0>(&counts_)) return (*narrow)[row];
  return std::get<1>(counts_)[row];
}

void ReadingColumn::push_absent() {
  std::visit([](auto& counts) { counts.push_back({}); }, counts_);
  present_.push_back(0);
}

void ReadingColumn::push(std::int64_t count, int decimals) {
  if (decimals > kDecimalsMax || count > kExactMax || count < -kExactMax) {
    return push_double(static_cast<double>(count) / static_cast<double>(power_of_10(decimals)));
  }
  if (is_double()) return push_double(quotient(count, decimals));
  if (decimals > decimals_) rescale(decimals);
  std::int64_t scaled = 0;
  if (is_double() || __builtin_mul_overflow(count, power_of_10(decimals_ - decimals), &scaled) ||
      scaled > kExactMax || scaled < -kExactMax) {
    return push_double(quotient(count, decimals));
  }
  if (is_32_bit() && !fits_32(scaled)) widen_to_64();
  if (auto* narrow = std::get_if<0>(&counts_)) {
    narrow->push_back(static_cast<std::int32_t>(scaled));
  } else {
    std::get<1>(counts_).push_back(scaled);
  }
  present_.push_back(1);
}

void ReadingColumn::push_double(double value) {
  widen_to_double();
  std::get<2>(counts_).push_back(value);
  present_.push_back(1);
}

void ReadingColumn::append(const ReadingColumn& other, std::size_t from, std::size_t until) {
  for (std::size_t row = from; row < until; ++row) {
    if (!other.present(row)) {
      push_absent();
    } else if (other.is_double()) {
      push_double(other.value(row));
    } else {
      push(other.count(row), other.decimals());
    }
  }
}

void ReadingColumn::reset(int decimals) {
  decimals_ = decimals;
  present_.clear();
  if (auto* narrow = std::get_if<0>(&counts_)) {
    narrow->clear();
  } else {
    counts_.emplace<0>();
  }
}

std::int32_t* ReadingColumn::grow(std::size_t rows) {
  auto& counts = std::get<0>(counts_);
  const std::size_t before = counts.size();
  counts.resize(before + rows);
  present_.resize(before + rows);
  return counts.data() + before;
}

void ReadingColumn::mark_present(std::size_t from) {
  std::fill(present_.begin() + static_cast<std::ptrdiff_t>(from), present_.end(), std::uint8_t{1});
}

void ReadingColumn::shrink(std::size_t rows) {
  std::visit([rows](auto& counts) { counts.resize(rows); }, counts_);
  present_.resize(rows);
}

// Brings all counts to more decimals; a column that this makes too wide is widened first.
void ReadingColumn::rescale(int decimals) {
  if (is_32_bit()) widen_to_64();
  auto& wide = std::get<1>(counts_);
  const std::int64_t factor = power_of_10(decimals - decimals_);
  for (const std::int64_t count : wide) {
    std::int64_t scaled = 0;
    if (__builtin_mul_overflow(count, factor, &scaled) || scaled > kExactMax ||
        scaled < -kExactMax) {
      return widen_to_double();
    }
  }
  bool narrow = true;
  for (std::int64_t& count : wide) {
    count *= factor;
    narrow = narrow && fits_32(count);
  }
  decimals_ = decimals;
  if (narrow) {
    std::vector<std::int32_t> counts;
    counts.reserve(wide.size());
    for (const std::int64_t count : wide) counts.push_back(static_cast<std::int32_t>(count));
    counts_ = std::move(counts);
  }
}

void ReadingColumn::widen_to_64() {
  const auto& narrow = std::get<0>(counts_);
  counts_ = std::vector<std::int64_t>(narrow.begin(), narrow.end());
}

void ReadingColumn::widen_to_double() {
  if (is_double()) return;
  std::vector<double> values(size());
  for (std::size_t row = 0; row < values.size(); ++row) {
    if (present(row)) values[row] = value(row);
  }
  counts_ = std::move(values);
}

SampleBatch slice(const SampleBatch& batch, std::size_t from, std::size_t until,
                  std::chrono::microseconds shift) {
  SampleBatch part{batch.device, batch.source, batch.session, batch.layout, {}, {}, {}};
  for (std::size_t row = from; row < until; ++row) {
    part.times.push_back(batch.times[row] + shift);
    part.offsets.push_back(batch.offsets[row]);
  }
  for (const ReadingColumn& column : batch.columns) {
    part.columns.emplace_back(column.decimals()).append(column, from, until);
  }
  return part;
}

}  // namespace gpulse
