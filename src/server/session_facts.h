// What the list of sessions tells about each, beyond its record: how hot it got, what it cost.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "store/history.h"

namespace gpulse {

struct SessionFacts {
  std::optional<double> gpu_temperature_max;  // °C; nullopt without a reading
  // Board power, else chip power, else power consumption in watts, each row standing for the time
  // until the next one, at most the session's gap limit; the last for its usual step.
  std::optional<double> energy_kwh;
};

// A session's rows never change, only their number grows: what was worked out is kept until then.
// Any thread.
class SessionFactsCache {
 public:
  // One for each of `sessions`, which must all be of `device` and in order of their first rows.
  [[nodiscard]] Expected<std::vector<SessionFacts>> get(const History& history,
                                                        const Device& device,
                                                        std::span<const SessionRecord> sessions);

 private:
  using Key = std::pair<std::string, std::int64_t>;  // source, session
  struct Kept {
    std::int64_t rows = 0;
    SessionFacts facts;
  };
  std::mutex mutex_;
  std::map<Key, Kept> kept_;
};

}  // namespace gpulse
