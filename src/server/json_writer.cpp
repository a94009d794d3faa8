#include "server/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "server/utf8.h"

namespace gpulse {
namespace {

void append_escaped_control(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  const auto code = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHex[code >> 4U];
  out += kHex[code & 0xFU];
}

template <class T>
void append_chars(std::string& out, T value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  static_cast<void>(error);  // 32 characters hold every 64-bit integer and every double
  out.append(text.data(), end);
}

constexpr double kCountMax = 9e15;  // integers up to 2^53 are exact in a double
constexpr std::array<double, 10> kPowersOfTen{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

// Readings are counts divided by a power of ten, so printing the count again is exact and several
// times cheaper than a general formatter; a query can hold a million of them. False: not such a
// number.
bool append_fixed(std::string& out, double value, int decimals) {
  if (decimals < 0 || decimals >= static_cast<int>(kPowersOfTen.size())) return false;
  const double power = kPowersOfTen[static_cast<std::size_t>(decimals)];
  const double scaled = value * power;
  if (!(std::fabs(scaled) < kCountMax)) return false;
  const std::int64_t count = std::llround(scaled);
  if (static_cast<double>(count) / power != value) return false;
  std::array<char, 24> text{};
  char* at = text.data() + text.size();
  std::int64_t rest = std::abs(count);
  for (int i = 0; i < decimals; ++i, rest /= 10) *--at = static_cast<char>('0' + rest % 10);
  if (decimals > 0) *--at = '.';
  do {
    *--at = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (count < 0) *--at = '-';
  out.append(at, text.data() + text.size());
  return true;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const std::size_t length = utf8_length(text, i);
    if (length == 0) {
      out += kReplacementCharacter;
      ++i;
    } else if (length > 1) {
      out += text.substr(i, length);
      i += length;
    } else {
      if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
      } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
        append_escaped_control(out, c);
      } else {
        out += c;
      }
      ++i;
    }
  }
  out += '"';
}

void append_json_double(std::string& out, double value) {
  if (value == std::trunc(value) && std::fabs(value) < kCountMax) {
    append_chars(out, static_cast<std::int64_t>(value));  // 1000000, where a double prints 1e+06
  } else if (std::isfinite(value)) {
    append_chars(out, value);
  } else {
    out += "null";
  }
}

void append_json_reading(std::string& out, double value, int decimals) {
  if (!append_fixed(out, value, decimals)) append_json_double(out, value);
}

void append_json_milliseconds(std::string& out, Timestamp time) {
  const std::int64_t us = to_microseconds(time);
  if (us % 1000 == 0) {
    append_chars(out, us / 1000);
    return;
  }
  if (us < 0) out += '-';
  const std::int64_t size = std::abs(us);
  append_chars(out, size / 1000);
  const std::int64_t fraction = size % 1000;
  out += '.';
  out += static_cast<char>('0' + fraction / 100);
  if (fraction % 100 != 0) out += static_cast<char>('0' + fraction / 10 % 10);
  if (fraction % 10 != 0) out += static_cast<char>('0' + fraction % 10);
}

void JsonWriter::separate() {
  if (out_.size() == begin_) return;
  const char last = out_.back();
  // A string always ends in its quote, so these can only be structure.
  if (last != '{' && last != '[' && last != ':') out_ += ',';
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t value) {
  separate();
  append_chars(out_, value);
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  separate();
  append_json_double(out_, value);
  return *this;
}

JsonWriter& JsonWriter::reading(double value, int decimals) {
  separate();
  append_json_reading(out_, value, decimals);
  return *this;
}

JsonWriter& JsonWriter::time(Timestamp value) {
  separate();
  out_ += '"';
  out_ += to_rfc3339(value);
  out_ += '"';
  return *this;
}

JsonWriter& JsonWriter::milliseconds(Timestamp value) {
  separate();
  append_json_milliseconds(out_, value);
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

}  // namespace gpulse
