#include <fmt/format.h>
#include <simdjson.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "kafka/sample_json.h"
#include "telemetry/metric.h"

namespace gpulse {
namespace {

constexpr std::string_view kOpening = R"({"v":1,"timestamp":")";
constexpr std::size_t kInstantBytesMax = 40;
constexpr std::size_t kNumberBytesMax = 32;  // holds every 64-bit count with a point, every double

// "00" to "99": a division for every two digits.
constexpr std::array<char, 200> kTwoDigits = [] {
  std::array<char, 200> digits{};
  for (std::size_t i = 0; i < 100; ++i) {
    digits[2 * i] = static_cast<char>('0' + i / 10);
    digits[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return digits;
}();

char* put(char* at, std::string_view text) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

char* put_two(char* at, std::uint64_t number) {
  std::memcpy(at, kTwoDigits.data() + 2 * number, 2);
  return at + 2;
}

// Appends as a JSON string. Of text that is no UTF-8, every byte beyond ASCII becomes U+FFFD, so
// that an odd host name cannot make the record unreadable.
void append_string(std::string& out, std::string_view text) {
  const bool is_utf8 = simdjson::validate_utf8(text.data(), text.size());
  out += '"';
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7F) {
      out += fmt::format("\\u{:04x}", code);
    } else if (code >= 0x80 && !is_utf8) {
      out += "\xEF\xBF\xBD";
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  out += '"';
}

// What a reader cannot look up in its own catalogue, as "units" and its members; "" for none.
std::string units_of(const Layout& layout) {
  std::string units;
  for (const ColumnName& column : layout.columns) {
    if (column.unit.empty() || MetricCatalogue::get().find(column.metric) != nullptr) continue;
    units += units.empty() ? R"(,"units":{)" : ",";
    append_string(units, column.metric);
    units += ':';
    append_string(units, column.unit);
  }
  return units.empty() ? units : units + '}';
}

// Digits are made from the last to the first, below `end`. Returns where they begin.
char* put_digits_before(char* end, std::uint64_t number) {
  while (number >= 100) {
    end -= 2;
    put_two(end, number % 100);
    number /= 100;
  }
  if (number >= 10) {
    end -= 2;
    put_two(end, number);
  } else {
    *--end = static_cast<char>('0' + number);
  }
  return end;
}

char* put_integer(char* at, std::int64_t number) {
  return std::to_chars(at, at + kNumberBytesMax, number).ptr;
}

// count / 10^decimals, with exactly that many decimals.
char* put_count(char* at, std::int64_t count, int decimals) {
  auto size = static_cast<std::uint64_t>(count);
  if (count < 0) {
    *at++ = '-';
    size = ~size + 1;
  }
  std::array<char, kNumberBytesMax> digits{};
  char* const end = digits.data() + digits.size();
  char* begin = end;
  if (decimals > 0) {
    for (int i = 0; i < decimals; ++i, size /= 10) *--begin = static_cast<char>('0' + size % 10);
    *--begin = '.';
  }
  begin = put_digits_before(begin, size);
  return put(at, {begin, end});
}

// What std::to_chars prints of a double is a JSON number, but for infinities and NaN.
char* put_double(char* at, double value) {
  if (!std::isfinite(value)) return put(at, "null");
  return std::to_chars(at, at + kNumberBytesMax, value).ptr;
}

char* put_reading(char* at, const ReadingColumn& column, std::size_t row) {
  if (!column.present(row)) return put(at, "null");
  if (const auto* narrow = std::get_if<0>(&column.counts())) {
    return put_count(at, (*narrow)[row], column.decimals());
  }
  if (column.is_double()) return put_double(at, column.value(row));
  return put_count(at, column.count(row), column.decimals());
}

}  // namespace

void SampleJsonWriter::begin(const SampleBatch& batch) {
  batch_ = &batch;
  head_ = R"(Z","host":)";
  append_string(head_, batch.device.host);
  head_ += R"(,"gpu":)";
  append_string(head_, batch.device.gpu);
  head_ += R"(,"source":)";
  append_string(head_, batch.source);
  head_ += fmt::format(R"(,"session":{},"offset":)", batch.session);
  if (layout_ != batch.layout) {
    layout_ = batch.layout;
    names_.clear();
    names_bytes_ = 0;
    for (const ColumnName& column : layout_->columns) {
      std::string& name = names_.emplace_back(names_.empty() ? "" : ",");
      append_string(name, column.metric);
      name += ':';
      names_bytes_ += name.size();
    }
    tail_ = '}' + units_of(*layout_) + '}';
  }
  buffer_.resize(kOpening.size() + kInstantBytesMax + head_.size() + names_bytes_ +
                 kNumberBytesMax * (names_.size() + 2) + tail_.size());
}

std::string_view SampleJsonWriter::row(std::size_t row) {
  const Timestamp time = batch_->times[row];
  const auto day = std::chrono::floor<std::chrono::days>(time);
  if (day != day_) {
    day_ = day;
    date_ = to_rfc3339(Timestamp{day});
    date_.resize(date_.find('T') + 1);
  }
  char* at = put(put(buffer_.data(), kOpening), date_);
  const std::chrono::hh_mm_ss clock(time - day);
  at = put_two(at, static_cast<std::uint64_t>(clock.hours().count()));
  *at++ = ':';
  at = put_two(at, static_cast<std::uint64_t>(clock.minutes().count()));
  *at++ = ':';
  at = put_two(at, static_cast<std::uint64_t>(clock.seconds().count()));
  *at++ = '.';
  const auto us = static_cast<std::uint64_t>(clock.subseconds().count());
  at = put_two(put_two(put_two(at, us / 10'000), us / 100 % 100), us % 100);
  at = put_integer(put(at, head_), batch_->offsets[row]);
  at = put(at, R"(,"metrics":{)");
  for (std::size_t i = 0; i < names_.size(); ++i) {
    at = put_reading(put(at, names_[i]), batch_->columns[i], row);
  }
  at = put(at, tail_);
  return {buffer_.data(), at};
}

}  // namespace gpulse
