#include "store/hot_columns.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace gpulse {
namespace {

template <class T>
void pack_as(const std::vector<std::int64_t>& values, std::int64_t base,
             std::vector<std::uint8_t>& out) {
  out.resize(values.size() * sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto distance =
        static_cast<T>(static_cast<std::uint64_t>(values[i]) - static_cast<std::uint64_t>(base));
    std::memcpy(out.data() + i * sizeof(T), &distance, sizeof(T));
  }
}

template <class T>
void unpack_as(const std::vector<std::uint8_t>& in, std::int64_t base,
               std::vector<std::int64_t>& out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    T distance{};
    std::memcpy(&distance, in.data() + i * sizeof(T), sizeof(T));
    out[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(base) + distance);
  }
}

}  // namespace

PackedIntegers::PackedIntegers(const std::vector<std::int64_t>& values) : size_(values.size()) {
  if (values.empty()) return;
  const auto [low, high] = std::ranges::minmax(values);
  base_ = low;
  const std::uint64_t range = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  if (range == 0) return;
  if (range <= std::numeric_limits<std::uint8_t>::max()) {
    width_ = 1;
    pack_as<std::uint8_t>(values, base_, packed_);
  } else if (range <= std::numeric_limits<std::uint16_t>::max()) {
    width_ = 2;
    pack_as<std::uint16_t>(values, base_, packed_);
  } else if (range <= std::numeric_limits<std::uint32_t>::max()) {
    width_ = 4;
    pack_as<std::uint32_t>(values, base_, packed_);
  } else {
    width_ = 8;
    pack_as<std::uint64_t>(values, base_, packed_);
  }
}

void PackedIntegers::unpack(std::vector<std::int64_t>& out) const {
  out.assign(size_, base_);
  switch (width_) {
    case 1: return unpack_as<std::uint8_t>(packed_, base_, out);
    case 2: return unpack_as<std::uint16_t>(packed_, base_, out);
    case 4: return unpack_as<std::uint32_t>(packed_, base_, out);
    case 8: return unpack_as<std::uint64_t>(packed_, base_, out);
    default: return;
  }
}

HotChunk::HotChunk(const SampleBatch& rows)
    : source_(rows.source),
      session_(rows.session),
      layout_(rows.layout),
      first_(rows.times.front()),
      last_(rows.times.back()),
      rows_(rows.rows()) {
  std::vector<std::int64_t> integers;
  for (std::size_t row = 1; row < rows_; ++row) {
    integers.push_back((rows.times[row] - rows.times[row - 1]).count());
  }
  steps_ = PackedIntegers(integers);
  for (const ReadingColumn& readings : rows.columns) {
    Column column;
    column.decimals = readings.decimals();
    if (std::ranges::count(readings.presence(), 0) > 0) column.presence = readings.presence();
    if (readings.is_double()) {
      column.doubles = std::get<2>(readings.counts());
    } else {
      integers.clear();
      // An absent reading takes the count before it, so that it does not widen the range.
      std::int64_t count = 0;
      bool any = false;
      for (std::size_t row = 0; row < rows_; ++row) {
        if (readings.present(row)) {
          count = readings.count(row);
          if (!any) std::ranges::fill(integers, count);
          any = true;
        }
        integers.push_back(count);
      }
      column.counts = PackedIntegers(integers);
    }
    columns_.push_back(std::move(column));
  }
}

std::size_t HotChunk::bytes() const {
  std::size_t total = sizeof *this + steps_.bytes();
  for (const Column& column : columns_) {
    total += sizeof column + column.counts.bytes() + column.presence.capacity() +
             column.doubles.capacity() * sizeof(double);
  }
  return total;
}

std::vector<Timestamp> HotChunk::times() const {
  std::vector<std::int64_t> steps;
  steps_.unpack(steps);
  std::vector<Timestamp> times{first_};
  times.reserve(rows_);
  for (const std::int64_t step : steps) {
    times.push_back(times.back() + std::chrono::microseconds{step});
  }
  return times;
}

std::vector<double> HotChunk::values(const std::string& metric) const {
  const auto found = std::ranges::find(layout_->columns, metric, &ColumnName::metric);
  if (found == layout_->columns.end()) return {};
  const Column& column = columns_[static_cast<std::size_t>(found - layout_->columns.begin())];
  std::vector<double> values = column.doubles;
  if (values.empty()) {
    std::vector<std::int64_t> counts;
    column.counts.unpack(counts);
    const double scale = std::pow(10.0, column.decimals);
    values.reserve(rows_);
    for (const std::int64_t count : counts) values.push_back(static_cast<double>(count) / scale);
  }
  for (std::size_t row = 0; row < column.presence.size(); ++row) {
    if (column.presence[row] == 0) values[row] = std::numeric_limits<double>::quiet_NaN();
  }
  return values;
}

void HotColumns::append(const SampleBatch& rows) {
  std::size_t at = 0;
  while (at < rows.rows()) {
    const bool other =
        open_.layout != rows.layout || open_.session != rows.session || open_.source != rows.source;
    if (open_.rows() > 0 && (other || open_.rows() >= kChunkRows)) seal();
    if (open_.rows() == 0) {
      open_.source = rows.source;
      open_.session = rows.session;
      open_.layout = rows.layout;
      open_.columns.assign(rows.columns.size(), ReadingColumn{});
    }
    const std::size_t until = std::min(rows.rows(), at + kChunkRows - open_.rows());
    open_.times.insert(open_.times.end(), rows.times.begin() + static_cast<std::ptrdiff_t>(at),
                       rows.times.begin() + static_cast<std::ptrdiff_t>(until));
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
      open_.columns[i].append(rows.columns[i], at, until);
    }
    at = until;
  }
  open_packed_.reset();
}

void HotColumns::seal() {
  sealed_.push_back(std::make_shared<const HotChunk>(open_));
  sealed_bytes_ += sealed_.back()->bytes();
  open_.times.clear();
  open_packed_.reset();
}

void HotColumns::drop_before(Timestamp time) {
  std::erase_if(sealed_, [&](const HotChunkPtr& chunk) {
    const bool over = chunk->last() < time;
    if (over) sealed_bytes_ -= chunk->bytes();
    return over;
  });
}

std::vector<HotChunkPtr> HotColumns::snapshot() const {
  std::vector<HotChunkPtr> chunks = sealed_;
  if (open_.rows() > 0) {
    if (open_packed_ == nullptr) open_packed_ = std::make_shared<const HotChunk>(open_);
    chunks.push_back(open_packed_);
  }
  return chunks;
}

std::size_t HotColumns::bytes() const {
  std::size_t total = sizeof *this + sealed_bytes_;
  for (const ReadingColumn& column : open_.columns) total += column.size() * 5;
  return total;
}

}  // namespace gpulse
