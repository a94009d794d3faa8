// The rows of a range, each with the time that it stands for. Of use inside query/ only.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "store/history.h"
#include "telemetry/error.h"

namespace gpulse {

// Some rows of one session. Valid during the visit only.
struct TimedBlock {
  const SessionRecord* session;
  std::size_t session_index;  // counts the sessions of this walk
  std::span<const Timestamp> times;
  // Microseconds until the next row of the session, at most its gap limit; the usual step for the
  // session's last row. One per row.
  std::span<const std::int64_t> durations;
  // As in Block: one per asked metric, empty when the session has no such column.
  std::span<const std::span<const double>> values;
};

using TimedVisitor = std::function<void(const TimedBlock&)>;

// Visits all rows of the request, in the order of History::scan. The errors are the history's.
[[nodiscard]] Expected<void> walk_rows(const History& history, const ScanRequest& request,
                                       const TimedVisitor& visit);

}  // namespace gpulse
