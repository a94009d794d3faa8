// What `gpulse doctor` finds out: one Check a piece. Pure.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace gpulse::doctor {

enum class Verdict {
  ok,
  warn,     // it works, and may not for long, or not as meant
  fail,     // it does not work
  skipped,  // could not be asked, for a reason that another line or `found` gives
};

struct Check {
  std::string name;  // of the piece: "topic gpu-metrics"
  Verdict verdict = Verdict::ok;
  std::string found;   // what is there, in words
  std::string advice;  // what to do about a warning or a failure; may be empty
};
using Checks = std::vector<Check>;

[[nodiscard]] inline Check ok(std::string name, std::string found) {
  return {std::move(name), Verdict::ok, std::move(found), {}};
}
[[nodiscard]] inline Check warn(std::string name, std::string found, std::string advice) {
  return {std::move(name), Verdict::warn, std::move(found), std::move(advice)};
}
[[nodiscard]] inline Check fail(std::string name, std::string found, std::string advice) {
  return {std::move(name), Verdict::fail, std::move(found), std::move(advice)};
}
[[nodiscard]] inline Check skipped(std::string name, std::string why) {
  return {std::move(name), Verdict::skipped, std::move(why), {}};
}

// "ok", "warn", "fail", "skip".
[[nodiscard]] std::string_view word_of(Verdict verdict);

[[nodiscard]] std::size_t count(const Checks& checks, Verdict verdict);

// For people: a line a check, aligned; then what to do, a paragraph each; then a line that counts.
[[nodiscard]] std::string report(const Checks& checks, bool colours);

// "3 s", "5 min", "2 h", "12 days"; of the size, whatever its sign.
[[nodiscard]] std::string length_in_words(std::chrono::microseconds length);

}  // namespace gpulse::doctor
