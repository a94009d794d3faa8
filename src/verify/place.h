// What the comparison with one place says, for all logs that were asked about.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "verify/row_tally.h"

namespace gpulse {

struct PlaceReport {
  PlaceReport(std::string_view the_kind, std::string the_name)
      : kind(the_kind), name(std::move(the_name)) {}

  std::string kind;  // "ledger", "topic", "influxdb"
  std::string name;  // for people: its folder or address
  // One a log, in the order of the logs: what is there of it.
  struct OfLog {
    // The log itself, and the replays of it. A log that is there only as replays has no entry of
    // its own.
    std::vector<SourceReport> sources;
    std::vector<std::string> notes;

    [[nodiscard]] std::int64_t faults() const;
  };
  std::vector<OfLog> logs;
  std::vector<std::string> notes;  // about the place as a whole

  [[nodiscard]] std::int64_t faults() const;
};

// Looks up the lines of the findings, of whatever place.
[[nodiscard]] Expected<void> find_lines(const LogUnderTest& log, PlaceReport::OfLog& report);

// Says which earlier contents of the log are there, too.
void note_earlier(std::span<const std::string> sources, PlaceReport::OfLog& report);

}  // namespace gpulse
