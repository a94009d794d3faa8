// Writes JSON into a string, front to back. Commas are its business, the order of calls the
// caller's.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "telemetry/timestamp.h"

namespace gpulse {

// Appends `text` as a JSON string, quotes included. Bytes that are no UTF-8 become U+FFFD, so that
// what a log or a file name brings cannot make the whole document unreadable.
void append_json_string(std::string& out, std::string_view text);
// A reading: with exactly `decimals` decimals when that is the number itself ("63.0"), else the
// shortest text that reads back as it. NaN and infinities: null.
void append_json_reading(std::string& out, double value, int decimals);
// The shortest text that reads back as the number; NaN and infinities: null.
void append_json_double(std::string& out, double value);
// Milliseconds since 1970, with up to three decimals only where there are any.
void append_json_milliseconds(std::string& out, Timestamp time);

// Borrows the string that it appends to. Not thread-safe. Nothing is checked: a value without a key
// in an object, or an end without a begin, gives what it says.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out), begin_(out.size()) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& string(std::string_view text);
  JsonWriter& integer(std::int64_t value);
  JsonWriter& number(double value);
  JsonWriter& reading(double value, int decimals);
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }
  JsonWriter& time(Timestamp value);
  JsonWriter& milliseconds(Timestamp value);
  JsonWriter& seconds(std::chrono::microseconds duration) {
    return number(std::chrono::duration<double>(duration).count());
  }
  // JSON made elsewhere.
  JsonWriter& raw(std::string_view json);

  // key(name) and its value in one.
  JsonWriter& member(std::string_view name, std::string_view text) {
    return key(name).string(text);
  }
  JsonWriter& member(std::string_view name, const char* text) { return key(name).string(text); }
  JsonWriter& member(std::string_view name, Timestamp value) { return key(name).time(value); }
  JsonWriter& member(std::string_view name, double value) { return key(name).number(value); }
  JsonWriter& member(std::string_view name, std::chrono::microseconds duration) {
    return key(name).seconds(duration);
  }
  template <std::same_as<bool> T>
  JsonWriter& member(std::string_view name, T value) {
    return key(name).boolean(value);
  }
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  JsonWriter& member(std::string_view name, T value) {
    return key(name).integer(static_cast<std::int64_t>(value));
  }
  // null when there is no value.
  template <class T>
  JsonWriter& member(std::string_view name, const std::optional<T>& value) {
    return value ? member(name, *value) : key(name).null();
  }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  // A value or key follows: puts a comma unless it is the first in its array or object.
  void separate();

  std::string& out_;
  std::size_t begin_;
};

// An array of `items`, each written by write(json, item).
template <class Items, class Write>
[[nodiscard]] std::string json_array(const Items& items, Write write) {
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  for (const auto& item : items) write(json, item);
  json.end_array();
  return out;
}

}  // namespace gpulse
