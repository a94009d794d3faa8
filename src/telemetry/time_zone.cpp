#include "telemetry/time_zone.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <optional>
#include <span>

#include "telemetry/tzif.h"

// Every zone in one file, as cmake/pack_tzdata.py describes.
extern "C" const unsigned char gpulse_tzdata[];
extern "C" const unsigned char gpulse_tzdata_end[];

namespace gpulse {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

struct PackedZone {
  std::string_view name;
  std::span<const unsigned char> tzif;
};

struct WindowsName {
  std::string_view name;
  std::string_view zone;
};

struct Pack {
  std::vector<PackedZone> zones;
  std::vector<WindowsName> windows_names;
};

Pack read_pack() {
  const std::span<const unsigned char> pack(gpulse_tzdata, gpulse_tzdata_end);
  constexpr std::size_t kMagicBytes = 8;
  const auto number = [&](std::size_t at) {
    const auto bytes = pack.subspan(at, 4);
    return std::size_t{bytes[0]} | std::size_t{bytes[1]} << 8 | std::size_t{bytes[2]} << 16 |
           std::size_t{bytes[3]} << 24;
  };
  // Its offset and size stand at `at`.
  const auto bytes = [&](std::size_t at) { return pack.subspan(number(at), number(at + 4)); };
  const auto text = [&](std::size_t at) {
    return std::string_view(reinterpret_cast<const char*>(bytes(at).data()), bytes(at).size());
  };
  Pack result;
  result.zones.resize(number(kMagicBytes));
  result.windows_names.resize(number(kMagicBytes + 4));
  std::size_t at = kMagicBytes + 8;
  for (auto& zone : result.zones) {
    zone = {text(at), bytes(at + 8)};
    at += 16;
  }
  for (auto& name : result.windows_names) {
    name = {text(at), text(at + 8)};
    at += 16;
  }
  return result;
}

const Pack& packed() {
  static const Pack pack = read_pack();
  return pack;
}

const std::vector<PackedZone>& packed_zones() { return packed().zones; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_but_for_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

// [+-]hh, [+-]hhmm or [+-]hh:mm, less than a day
std::optional<seconds> parse_fixed_offset(std::string_view text) {
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  std::string digits(text.substr(1));
  if (digits.size() == 5 && digits[2] == ':') digits.erase(2, 1);
  if (digits.size() == 2) digits += "00";
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (digits.size() != 4 || !std::ranges::all_of(digits, is_digit)) return std::nullopt;
  const int h = (digits[0] - '0') * 10 + (digits[1] - '0');
  const int m = (digits[2] - '0') * 10 + (digits[3] - '0');
  if (h > 23 || m > 59) return std::nullopt;
  const seconds offset = hours{h} + minutes{m};
  return text[0] == '-' ? -offset : offset;
}

std::string fixed_offset_name(seconds offset) {
  const auto m = std::abs(offset.count()) / 60;
  return fmt::format("{}{:02}:{:02}", offset < seconds{0} ? '-' : '+', m / 60, m % 60);
}

// Insertions, deletions and replacements that make a into b, whatever the case (Levenshtein).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(a[i]) == lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

// People type "Berlin" and "New York" as well as "Europe/Berln".
std::vector<std::string_view> nearest_names(std::string_view typed) {
  constexpr std::size_t kOffered = 3;
  std::string wanted(typed.substr(0, 64));
  std::ranges::replace(wanted, ' ', '_');
  const std::size_t distance_max = std::max<std::size_t>(1, wanted.size() / 3);
  std::vector<std::pair<std::size_t, std::string_view>> near;
  for (const auto& zone : packed_zones()) {
    const auto city = zone.name.substr(zone.name.rfind('/') + 1);
    const auto distance = std::min(edit_distance(wanted, zone.name), edit_distance(wanted, city));
    if (distance <= distance_max) near.emplace_back(distance, zone.name);
  }
  std::ranges::sort(near);
  std::vector<std::string_view> names;
  for (const auto& [distance, name] : near) {
    if (names.size() == kOffered) break;
    names.push_back(name);
  }
  return names;
}

std::unexpected<Error> unknown_zone(std::string_view name) {
  const auto near = nearest_names(name);
  if (near.empty()) {
    return usage_error(fmt::format(
        "unknown time zone '{}'; give a name such as Europe/Berlin or an offset such as +02:00",
        name));
  }
  return usage_error(
      fmt::format("unknown time zone '{}'; did you mean {}? An offset such as +02:00 will do, too",
                  name, fmt::join(near, " or ")));
}

}  // namespace

struct TimeZone::Impl {
  ZoneRules rules;
};

TimeZone::TimeZone(std::string name, std::unique_ptr<Impl> impl)
    : name_(std::move(name)), impl_(std::move(impl)) {}
TimeZone::~TimeZone() = default;

Expected<std::shared_ptr<const TimeZone>> TimeZone::find(std::string_view name) {
  const auto make = [](std::string_view canonical, ZoneRules rules) {
    auto impl = std::make_unique<Impl>(std::move(rules));
    return std::shared_ptr<const TimeZone>(new TimeZone(std::string(canonical), std::move(impl)));
  };
  if (const auto offset = parse_fixed_offset(name)) {
    return make(fixed_offset_name(*offset), ZoneRules::fixed(*offset));
  }
  const auto is_meant = [&](const auto& named) { return equal_but_for_case(named.name, name); };
  const auto& zones = packed_zones();
  const auto found = std::ranges::find_if(zones, is_meant);
  if (found == zones.end()) {
    const auto& windows_names = packed().windows_names;
    const auto of_windows = std::ranges::find_if(windows_names, is_meant);
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): it loses sight of a shared_ptr
    return of_windows == windows_names.end() ? unknown_zone(name) : find(of_windows->zone);
  }
  auto rules = ZoneRules::parse(found->tzif);
  if (!rules) return std::unexpected(std::move(rules.error()).wrapped(found->name));
  return make(found->name, *std::move(rules));
}

std::vector<std::string_view> TimeZone::names() {
  std::vector<std::string_view> names;
  for (const auto& zone : packed_zones()) names.push_back(zone.name);
  return names;
}

seconds TimeZone::offset_at(UtcSeconds time) const { return impl_->rules.at(time).offset; }

// Lays out each span that can matter by the wall clock and looks in which the reading falls. Spans
// that lie wholly more than an offset's range away cannot contain it.
TimeZone::Resolved TimeZone::resolve(LocalSeconds local) const {
  const UtcSeconds as_utc{local.time_since_epoch()};
  const auto on_wall = [](UtcSeconds time, seconds offset) {
    return LocalSeconds{time.time_since_epoch() + offset};
  };
  OffsetSpan span = impl_->rules.at(as_utc - kOffsetEnd);
  Resolved result{Resolved::Kind::skipped, as_utc, as_utc, on_wall(span.from, kOffsetEnd), {}};
  LocalSeconds next_border = on_wall(kForEver, seconds{0});
  for (;; span = impl_->rules.at(span.until)) {
    const LocalSeconds begin = on_wall(span.from, span.offset);
    const LocalSeconds end = on_wall(span.until, span.offset);
    for (const LocalSeconds border : {begin, end}) {
      if (border <= local) result.same_from = std::max(result.same_from, border);
      if (border > local) next_border = std::min(next_border, border);
    }
    const UtcSeconds instant = as_utc - span.offset;
    if (begin <= local && local < end) {
      const bool again = result.kind != Resolved::Kind::skipped;
      result.kind = again ? Resolved::Kind::repeated : Resolved::Kind::unique;
      if (!again) result.first = instant;
      result.second = instant;
    } else if (end <= local && result.kind == Resolved::Kind::skipped) {
      result.first = result.second = instant;  // by the offset before the change, if none holds it
    }
    if (span.until > as_utc + kOffsetEnd) break;
  }
  result.same_until = std::min(next_border, on_wall(span.until, -kOffsetEnd));
  return result;
}

}  // namespace gpulse
