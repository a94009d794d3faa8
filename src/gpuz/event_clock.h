// From a log's wall clock readings to instants that are all different, and to sessions.
#pragma once

#include <cstdint>
#include <memory>

#include "telemetry/time_zone.h"
#include "telemetry/timestamp.h"

namespace gpulse {

// Where a source's clock stands after its last row. Part of its checkpoint.
struct EventClockState {
  bool started = false;
  bool second_fold = false;          // in a repeated hour: the change back has been seen
  std::int64_t last_local = 0;       // seconds of the last row's wall clock
  std::int64_t last_second = 0;      // the same in UTC
  std::int64_t largest_second = 0;  // the latest UTC second lived before the last step backwards
  std::int32_t base = 0;  // steps backwards so far: milliseconds added up to that second
  std::int32_t rank = 0;  // of the last row among the rows of its second

  friend bool operator==(const EventClockState&, const EventClockState&) = default;
};

// Takes the rows of one source in file order. Not thread-safe.
//
// GPU-Z writes local time in whole seconds. A row's instant is its UTC second, plus its rank among
// the rows of that second in microseconds, plus a millisecond for every step backwards so far while
// the second is not later than all seconds before; so no two rows share an instant. (1,000 rows in
// one second, or a second lived again for the third time behind 999 steps back, are where that
// ends.)
//
// In the hour that a clock change repeats, rows are of the first pass until a step back of half an
// hour (of half the change, where that is less: Lord Howe's is 30 minutes), then of the second.
class EventClock {
 public:
  explicit EventClock(std::shared_ptr<const TimeZone> zone, EventClockState state = {});

  struct Instant {
    Timestamp time;
    bool session_begins =
        false;  // the first row, a step of more than 5 minutes, or a step backwards
  };
  [[nodiscard]] Instant advance(std::int64_t local);

  // Whether a row of this wall clock continues the session by no more than a step forwards, so that
  // advance() would neither search the zone nor begin a session.
  [[nodiscard]] bool continues(std::int64_t local) const {
    return local >= state_.last_local && local - state_.last_local <= kStepMax &&
           state_.last_local >= plain_from_ && local < plain_until_;
  }
  // The first wall clock reading for which continues() has to be asked again.
  [[nodiscard]] std::int64_t plain_until() const {
    return state_.last_local >= plain_from_ ? plain_until_ : state_.last_local;
  }

  [[nodiscard]] const EventClockState& state() const { return state_; }
  [[nodiscard]] const TimeZone& zone() const { return *zone_; }

  static constexpr std::int64_t kStepMax = 300;  // seconds; a longer step begins a session

 private:
  [[nodiscard]] std::int64_t to_utc(std::int64_t local);

  std::shared_ptr<const TimeZone> zone_;
  EventClockState state_;
  // In [plain_from_, plain_until_) UTC is local - plain_offset_ without further thought.
  std::int64_t plain_from_ = 0;
  std::int64_t plain_until_ = 0;
  std::int64_t plain_offset_ = 0;
};

}  // namespace gpulse
