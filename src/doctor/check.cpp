#include "doctor/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "telemetry/plural.h"

namespace gpulse::doctor {
namespace {

// Names are cut to no length, but one long name does not push all findings out of sight.
constexpr std::size_t kNameColumnsMax = 36;

std::string_view colour_of(Verdict verdict) {
  constexpr std::array<std::string_view, 4> kColours{"\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[2m"};
  return kColours.at(static_cast<std::size_t>(verdict));
}

// What several pieces need is said once.
void append_advice(std::string& out, const Checks& checks) {
  std::vector<std::string_view> said;
  for (const Check& check : checks) {
    if (check.advice.empty() || std::ranges::find(said, check.advice) != said.end()) continue;
    out += said.empty() ? "\nWhat to do:\n- " : "- ";
    said.push_back(check.advice);
    std::string_view comma;
    for (const Check& other : checks) {
      if (other.advice != check.advice) continue;
      fmt::format_to(std::back_inserter(out), "{}{}", comma, other.name);
      comma = ", ";
    }
    fmt::format_to(std::back_inserter(out), ": {}\n", check.advice);
  }
}

}  // namespace

std::string_view word_of(Verdict verdict) {
  constexpr std::array<std::string_view, 4> kWords{"ok", "warn", "fail", "skip"};
  return kWords.at(static_cast<std::size_t>(verdict));
}

std::size_t count(const Checks& checks, Verdict verdict) {
  return static_cast<std::size_t>(std::ranges::count(checks, verdict, &Check::verdict));
}

std::string report(const Checks& checks, bool colours) {
  std::size_t width = 0;
  for (const Check& check : checks) {
    if (check.name.size() <= kNameColumnsMax) width = std::max(width, check.name.size());
  }
  std::string out;
  const auto to = std::back_inserter(out);
  for (const Check& check : checks) {
    fmt::format_to(to, "{}{:<4}{}  {:<{}}  {}\n", colours ? colour_of(check.verdict) : "",
                   word_of(check.verdict), colours ? "\x1b[0m" : "", check.name, width,
                   check.found);
  }
  append_advice(out, checks);
  fmt::format_to(to, "\n{}: {} ok", plural(checks.size(), "check"), count(checks, Verdict::ok));
  if (const auto n = count(checks, Verdict::warn); n > 0)
    fmt::format_to(to, ", {}", plural(n, "warning"));
  if (const auto n = count(checks, Verdict::fail); n > 0) fmt::format_to(to, ", {} failed", n);
  if (const auto n = count(checks, Verdict::skipped); n > 0)
    fmt::format_to(to, ", {} not asked", n);
  out += '\n';
  return out;
}

std::string length_in_words(std::chrono::microseconds length) {
  const auto seconds = std::chrono::round<std::chrono::seconds>(std::chrono::abs(length)).count();
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 7200) return fmt::format("{} min", (seconds + 30) / 60);
  if (seconds < 172800) return fmt::format("{} h", (seconds + 1800) / 3600);
  return fmt::format("{} days", (seconds + 43200) / 86400);
}

}  // namespace gpulse::doctor
