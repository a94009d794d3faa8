// Instants of samples: UTC, in microseconds since 1970. Everything behind the reader uses them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gpulse {

using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

// "2023-06-16T08:17:08.000000Z": RFC 3339, always UTC, always six decimals.
[[nodiscard]] std::string to_rfc3339(Timestamp time);

// Reads RFC 3339 with any offset and up to nine decimals (digits past the sixth are cut), or a
// plain integer of milliseconds since 1970. Nothing else.
[[nodiscard]] std::optional<Timestamp> parse_timestamp(std::string_view text);

[[nodiscard]] constexpr Timestamp from_microseconds(std::int64_t us) {
  return Timestamp{std::chrono::microseconds{us}};
}
[[nodiscard]] constexpr std::int64_t to_microseconds(Timestamp time) {
  return time.time_since_epoch().count();
}

// Where "now" comes from; passed in, so that a test can set it.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Timestamp now() const = 0;
};

// The machine's clock. Any thread.
[[nodiscard]] const Clock& system_clock();

}  // namespace gpulse
