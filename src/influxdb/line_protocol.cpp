#include "influxdb/line_protocol.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace gpulse {
namespace {

// Digits, sign and point of a 64-bit count; doubles take no more.
constexpr std::size_t kNumberBytesMax = 32;
constexpr std::string_view kOffsetKey = "offset=";
constexpr std::int64_t kNanosecondsPerMicrosecond = 1000;

constexpr std::array<char, 200> kDigitPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

constexpr std::array<std::uint64_t, 20> kPowersOf10 = [] {
  std::array<std::uint64_t, 20> powers{1};
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

void append_picture(std::string& out, char control) {
  // U+2400 to U+241F, and U+2421 for DEL.
  out += "\xE2\x90";
  out += control == 0x7F ? '\xA1' : static_cast<char>(0x80 + control);
}

bool needs_care(char c) { return c == ',' || c == '=' || c == ' ' || is_control(c) || c == '\\'; }

void append_escaped(std::string& out, std::string_view text) {
  std::size_t plain = 0;
  while (plain < text.size() && !needs_care(text[plain])) ++plain;
  out.append(text, 0, plain);
  if (plain == text.size()) return;
  const std::size_t last = text.find_last_not_of('\\');
  const std::size_t tail = last == std::string_view::npos ? 0 : last + 1;
  for (std::size_t i = plain; i < text.size(); ++i) {
    const char c = text[i];
    if (is_control(c)) {
      append_picture(out, c);
    } else if (c == '\\' && i >= tail) {
      out += "\xEF\xBC\xBC";
    } else {
      if (c == ',' || c == '=' || c == ' ') out += '\\';
      out += c;
    }
  }
}

void append_prefix(std::string& out, std::string_view host, std::string_view gpu,
                   std::string_view source) {
  out = kMeasurement;
  const auto tag = [&out](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out += name;
    append_escaped(out, value);
  };
  tag(",host=", host);
  tag(",gpu=", gpu);
  tag(",source=", source);
  out += ' ';
}

std::size_t digits_of(std::uint64_t value) {
  // 1233 / 4096 is a little more than log10(2).
  const auto least = static_cast<std::size_t>(std::bit_width(value | 1U)) * 1233U >> 12U;
  return least + ((value | 1U) >= kPowersOf10[least] ? 1U : 0U);
}

// Two digits at a time halve the divisions.
char* print_integer(char* out, std::uint64_t value) {
  char* const end = out + digits_of(value);
  char* at = end;
  while (value >= 100) {
    const std::uint64_t rest = value / 100;
    at -= 2;
    std::memcpy(at, &kDigitPairs[2 * (value - rest * 100)], 2);
    value = rest;
  }
  if (value >= 10) {
    std::memcpy(at - 2, &kDigitPairs[2 * value], 2);
  } else {
    *(at - 1) = static_cast<char>('0' + value);
  }
  return end;
}

char* print_signed(char* out, std::int64_t value) {
  if (value < 0) *out++ = '-';
  return print_integer(
      out, value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value));
}

char* print_fixed(char* out, std::int64_t count, int decimals) {
  if (count < 0) *out++ = '-';
  const std::uint64_t size =
      count < 0 ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
  if (decimals == 0) return print_integer(out, size);
  const std::uint64_t power = kPowersOf10[static_cast<std::size_t>(decimals)];
  const std::uint64_t whole = size / power;
  out = print_integer(out, whole);
  *out++ = '.';
  std::uint64_t rest = size - whole * power;
  for (char* at = out + decimals; at != out; rest /= 10) *--at = static_cast<char>('0' + rest % 10);
  return out + decimals;
}

char* print_bytes(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* print_tail(char* out, std::int64_t offset, Timestamp time) {
  out = print_bytes(out, kOffsetKey);
  out = print_signed(out, offset);
  *out++ = ' ';
  // From the year 2262 on there are no nanoseconds; the largest number is refused by the server as
  // out of its range, which sets the line aside.
  std::int64_t nanoseconds = 0;
  if (__builtin_mul_overflow(to_microseconds(time), kNanosecondsPerMicrosecond, &nanoseconds)) {
    nanoseconds = std::numeric_limits<std::int64_t>::max();
  }
  out = print_signed(out, nanoseconds);
  *out++ = '\n';
  return out;
}

char* print_double(char* out, double value) {
  return std::to_chars(out, out + kNumberBytesMax, value).ptr;
}

// The field of one cell with its comma; nothing for an absent one.
char* print_cell(char* out, const ReadingColumn& column, std::string_view key, std::size_t row) {
  if (!column.present(row)) return out;
  if (column.is_double()) {
    const double value = column.value(row);
    if (!std::isfinite(value)) return out;  // line protocol has no word for it
    out = print_double(print_bytes(out, key), value);
  } else {
    out = print_fixed(print_bytes(out, key), column.count(row), column.decimals());
  }
  *out++ = ',';
  return out;
}

constexpr std::size_t kTailBytesMax = kOffsetKey.size() + 2 * kNumberBytesMax;

}  // namespace

std::string_view Lines::line(std::size_t index) const {
  const std::size_t begin = index == 0 ? 0 : ends[index - 1];
  return std::string_view(text).substr(begin, ends[index] - begin - 1);
}

void Lines::clear() {
  text.clear();
  ends.clear();
  tickets.clear();
}

void append_tag_value(std::string& out, std::string_view value) { append_escaped(out, value); }
void append_field_key(std::string& out, std::string_view name) { append_escaped(out, name); }

void LineBuilder::begin(std::string_view host, std::string_view gpu, std::string_view source) {
  fields_.clear();
  if (!prefix_.empty() && source == source_ && gpu == gpu_ && host == host_) return;
  host_ = host;
  gpu_ = gpu;
  source_ = source;
  append_prefix(prefix_, host, gpu, source);
}

void LineBuilder::field(std::string_view name, std::string_view number) {
  if (name.empty()) return;
  append_escaped(fields_, name);
  fields_ += '=';
  fields_ += number;
  fields_ += ',';
}

void LineBuilder::end(Lines& out, std::int64_t offset, Timestamp time, std::uint64_t ticket) {
  std::array<char, kTailBytesMax> tail{};
  const char* const tail_end = print_tail(tail.data(), offset, time);
  out.text += prefix_;
  out.text += fields_;
  out.text.append(tail.data(), static_cast<std::size_t>(tail_end - tail.data()));
  out.ends.push_back(out.text.size());
  out.tickets.push_back(ticket);
}

void BatchRenderer::prepare(const SampleBatch& batch) {
  append_prefix(prefix_, batch.device.host, batch.device.gpu, batch.source);
  if (batch.layout != layout_) {
    layout_ = batch.layout;
    columns_.clear();
    for (const ColumnName& name : layout_->columns) {
      Column& column = columns_.emplace_back();
      append_escaped(column.key, name.metric);
      column.key += '=';
    }
  }
  line_bytes_max_ = prefix_.size() + kTailBytesMax;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    columns_[i].readings = &batch.columns[i];
    line_bytes_max_ += columns_[i].key.size() + kNumberBytesMax;
  }
}

void BatchRenderer::render(const SampleBatch& batch, std::uint64_t first_ticket, Lines& out) {
  prepare(batch);
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    const std::size_t before = out.text.size();
    out.text.resize_and_overwrite(before + line_bytes_max_, [&](char* text, std::size_t) {
      char* at = print_bytes(text + before, prefix_);
      for (const Column& column : columns_) {
        at = print_cell(at, *column.readings, column.key, row);
      }
      at = print_tail(at, batch.offsets[row], batch.times[row]);
      return static_cast<std::size_t>(at - text);
    });
    out.ends.push_back(out.text.size());
    out.tickets.push_back(first_ticket + row);
  }
}

}  // namespace gpulse
