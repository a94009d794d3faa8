#include "store/row_codec.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace gpulse {
namespace {

static_assert(std::endian::native == std::endian::little, "doubles are stored as they lie");

void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

  bool take_varint(std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64 && at_ < bytes_.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  bool take(void* to, std::size_t size) {
    if (bytes_.size() - at_ < size) return false;
    std::memcpy(to, bytes_.data() + at_, size);
    at_ += size;
    return true;
  }

  bool take_view(std::size_t size, std::string_view& view) {
    if (bytes_.size() - at_ < size) return false;
    view = bytes_.substr(at_, size);
    at_ += size;
    return true;
  }

  [[nodiscard]] bool at_end() const { return at_ == bytes_.size(); }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

// Calls absent(i), count(i, n) or real(i, x) for each column in turn.
template <class Absent, class Count, class Real>
bool decode(std::string_view text, const RowFormat& format, Absent absent, Count count, Real real) {
  Bytes bytes(text);
  char has_bitmap = 0;
  std::string_view bitmap;
  const std::size_t columns = format.decimals.size();
  if (!bytes.take(&has_bitmap, 1)) return false;
  if (has_bitmap != 0 && !bytes.take_view((columns + 7) / 8, bitmap)) return false;
  for (std::size_t i = 0; i < columns; ++i) {
    if (has_bitmap != 0 &&
        (std::uint32_t{static_cast<std::uint8_t>(bitmap[i / 8])} >> (i % 8) & 1U) == 0) {
      absent(i);
    } else if (format.decimals[i] == RowFormat::kDouble) {
      double value = 0;
      if (!bytes.take(&value, sizeof value)) return false;
      real(i, value);
    } else {
      std::uint64_t value = 0;
      if (!bytes.take_varint(value)) return false;
      count(i, unzigzag(value));
    }
  }
  return bytes.at_end();
}

double power_of_10(int decimals) {
  constexpr double kPowers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
  return kPowers[decimals];
}

std::string one_line(std::string_view text) {
  std::string out(text);
  std::erase_if(out, [](char c) { return c == '\t' || c == '\n' || c == '\r'; });
  return out;
}

}  // namespace

RowFormat RowFormat::of(const SampleBatch& batch) {
  RowFormat format{*batch.layout, {}};
  for (const ReadingColumn& column : batch.columns) {
    format.decimals.push_back(column.is_double() ? kDouble : column.decimals());
  }
  return format;
}

std::string RowFormat::to_text() const {
  std::string text;
  for (std::size_t i = 0; i < decimals.size(); ++i) {
    fmt::format_to(std::back_inserter(text), "{}\t{}\t{}\n", layout.columns[i].metric,
                   one_line(layout.columns[i].unit), decimals[i]);
  }
  return text;
}

std::optional<RowFormat> RowFormat::from_text(std::string_view text) {
  RowFormat format;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    const auto first = line.find('\t');
    const auto second = first == std::string_view::npos ? first : line.find('\t', first + 1);
    if (end == std::string_view::npos || second == std::string_view::npos) return std::nullopt;
    int decimals = 0;
    const auto* last = line.data() + line.size();
    const auto result = std::from_chars(line.data() + second + 1, last, decimals);
    if (result.ec != std::errc{} || result.ptr != last || decimals < kDouble || decimals > 9) {
      return std::nullopt;
    }
    format.layout.columns.push_back({std::string(line.substr(0, first)),
                                     std::string(line.substr(first + 1, second - first - 1))});
    format.decimals.push_back(decimals);
    text.remove_prefix(end + 1);
  }
  return format;
}

void encode_row(const SampleBatch& batch, std::size_t row, std::string& out) {
  bool all = true;
  for (const ReadingColumn& column : batch.columns) all = all && column.present(row);
  out += static_cast<char>(all ? 0 : 1);
  if (!all) {
    const std::size_t bitmap = out.size();
    out.append((batch.columns.size() + 7) / 8, '\0');
    for (std::size_t i = 0; i < batch.columns.size(); ++i) {
      const unsigned bit = batch.columns[i].present(row) ? 1U << (i % 8) : 0U;
      out[bitmap + i / 8] =
          static_cast<char>(static_cast<unsigned char>(out[bitmap + i / 8]) | bit);
    }
  }
  for (const ReadingColumn& column : batch.columns) {
    if (!column.present(row)) continue;
    if (column.is_double()) {
      const double value = column.value(row);
      out.append(reinterpret_cast<const char*>(&value), sizeof value);
    } else {
      append_varint(out, zigzag(column.count(row)));
    }
  }
}

bool decode_row(std::string_view bytes, const RowFormat& format,
                std::span<const std::size_t> wanted, std::span<double> out) {
  std::size_t next = 0;
  const auto put = [&](std::size_t column, double value) {
    while (next < wanted.size() && wanted[next] == column) out[next++] = value;
  };
  return decode(
      bytes, format, [&](std::size_t i) { put(i, std::numeric_limits<double>::quiet_NaN()); },
      [&](std::size_t i, std::int64_t count) {
        put(i, static_cast<double>(count) / power_of_10(format.decimals[i]));
      },
      [&](std::size_t i, double value) { put(i, value); });
}

bool decode_row(std::string_view bytes, const RowFormat& format, std::span<ReadingColumn> columns) {
  return decode(
      bytes, format, [&](std::size_t i) { columns[i].push_absent(); },
      [&](std::size_t i, std::int64_t count) { columns[i].push(count, format.decimals[i]); },
      [&](std::size_t i, double value) { columns[i].push_double(value); });
}

}  // namespace gpulse
