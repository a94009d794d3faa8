#include "doctor/log_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "gpuz/log_file.h"
#include "platform/file.h"
#include "telemetry/plural.h"

namespace gpulse::doctor {
namespace {

using std::chrono::microseconds;
using std::chrono::minutes;

// GPU-Z writes a row a second or so by default, and lets one choose up to a minute.
constexpr std::chrono::seconds kGrowingMax{75};
// Rows further ahead move no watermark (see the design): the log's rows would not count as newest.
constexpr minutes kAheadMax{5};
// A row and its writing; GPU-Z may hold back a few rows.
constexpr std::chrono::seconds kFits{90};
using Quarters = std::chrono::duration<std::int64_t, std::ratio<900>>;  // zones differ by these
constexpr std::chrono::hours kZoneMax{14};

struct LogFacts final : LogReceiver {
  std::int64_t rows = 0;
  std::int64_t set_aside = 0;
  std::optional<Timestamp> last;

  void on_rows(const SampleBatch& batch) override {
    rows += static_cast<std::int64_t>(batch.rows());
    if (!batch.times.empty()) last = batch.times.back();
  }
  void on_set_aside(const SetAside& /*line*/) override { ++set_aside; }
};

Expected<LogFacts> read_facts(const ReadFile& file, const std::shared_ptr<const TimeZone>& zone) {
  LogFacts facts;
  LogReader reader({.device = {}, .zone = zone, .source_suffix = {}});
  if (auto read = read_log_file(file, reader, facts); !read) {
    return std::unexpected(std::move(read).error());
  }
  return facts;
}

Check judge_content(std::string name, const LogFacts& facts) {
  if (facts.rows == 0) {
    return warn(std::move(name), "a heading, and no row yet",
                "GPU-Z writes the first row with its next reading; if none comes within a minute, "
                "untick and tick \"Log to file\" in GPU-Z's tab Sensors.");
  }
  std::string found = plural(facts.rows, "row");
  if (facts.set_aside == 0) return ok(std::move(name), std::move(found));
  return warn(
      std::move(name),
      fmt::format("{}, and {} that cannot be read as rows", found, plural(facts.set_aside, "line")),
      "`gpulse inspect` lists them with place and reason. A line that was torn by a crash is "
      "harmless; many tell of another program that writes to the file.");
}

std::string offset_text(std::chrono::seconds offset) {
  const auto total = std::chrono::abs(std::chrono::round<minutes>(offset)).count();
  return fmt::format("{}{:02}:{:02}", offset.count() < 0 ? '-' : '+', total / 60, total % 60);
}

}  // namespace

Check judge_growth(std::string name, Timestamp written, Timestamp now) {
  const auto age = now - written;
  std::string found = fmt::format("last written {} ago", length_in_words(age));
  if (age <= kGrowingMax) return ok(std::move(name), std::move(found));
  return warn(
      std::move(name), std::move(found),
      "If the card's PC is on, GPU-Z no longer logs: start it, and tick \"Log to file\" in its tab "
      "Sensors with this file. An old log that was finished is fine as it is.");
}

Check judge_zone(std::string name, const TimeZone& zone, Timestamp last_row, Timestamp written,
                 Timestamp now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(last_row);
  const std::string row = fmt::format("last row at {} by zone {}",
                                      to_rfc3339(last_row).substr(0, 19) + "Z", zone.name());
  if (last_row > now + kAheadMax) {
    return fail(
        std::move(name),
        fmt::format("{}, {} ahead of the clock", row, length_in_words(last_row - now)),
        "Rows of the future are kept, but never count as newest. Give the zone of the PC that "
        "writes the log, as --timezone Europe/Berlin; if that is right, set that PC's clock or "
        "this one's.");
  }
  const microseconds apart = written - last_row;
  const microseconds nearest = std::chrono::round<Quarters>(apart);
  const bool whole_steps = std::chrono::abs(apart - nearest) <= kFits;
  if (whole_steps && nearest == microseconds(0)) {
    return ok(std::move(name), row + ", which fits when the file was written");
  }
  if (!whole_steps || std::chrono::abs(nearest) > kZoneMax) {
    return ok(std::move(name),
              row + "; the file is of another time, and tells nothing of the zone");
  }
  const auto likely = zone.offset_at(second) - std::chrono::round<std::chrono::seconds>(nearest);
  return warn(
      std::move(name),
      fmt::format("{}, but the file was written {} {}", row, length_in_words(nearest),
                  nearest.count() > 0 ? "later" : "before that"),
      fmt::format("Just so many quarters of an hour are mostly a wrong zone: the PC that wrote it "
                  "seems to be at {} from UTC. Give its zone, as --timezone Europe/Berlin or "
                  "--timezone {}; rows that were read by the wrong one need --rezone.",
                  offset_text(likely), offset_text(likely)));
}

Checks check_log(const std::filesystem::path& file, const std::shared_ptr<const TimeZone>& zone,
                 Timestamp now) {
  const std::string shown = display(file.filename());
  const std::string name = "log " + shown;
  std::error_code error;
  if (!std::filesystem::exists(file, error) && !error) {
    return {fail(
        name, "there is no file " + display(file),
        "Tick \"Log to file\" in GPU-Z's tab Sensors and choose this file, or name the one that it "
        "writes. gpulse run and gpulse produce wait for it meanwhile.")};
  }
  const auto opened = ReadFile::open(file);
  if (!opened) {
    return {
        fail(name, opened.error().message,
             "Give this user the right to read it; for a network drive, see that it is there.")};
  }
  const auto facts = read_facts(*opened, zone);
  if (!facts) {
    return {
        fail(name, facts.error().message, "Name the file that GPU-Z writes with \"Log to file\".")};
  }
  Checks checks{judge_content(name, *facts)};
  const auto changed = std::filesystem::last_write_time(file, error);
  if (error) return checks;
  const auto written = std::chrono::floor<microseconds>(std::chrono::file_clock::to_sys(changed));
  checks.push_back(judge_growth("growth of " + shown, written, now));
  if (facts->last)
    checks.push_back(judge_zone("zone of " + shown, *zone, *facts->last, written, now));
  return checks;
}

}  // namespace gpulse::doctor
