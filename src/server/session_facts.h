// What the list of sessions tells about each, beyond its record: how hot it got, what it cost.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
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

// Adds up the rows of one session in their order. How long a step counts at most is known only when
// the session is, so long ones are kept apart. Not thread-safe.
class SessionSums {
 public:
  // The metrics that a block must bring, in this order.
  [[nodiscard]] static std::vector<std::string> metrics();

  void add(const Block& block);
  [[nodiscard]] SessionFacts facts(const SessionRecord& session) const;

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] Timestamp first() const { return first_; }
  [[nodiscard]] Timestamp last() const { return last_; }

 private:
  void add_power(double watts, Timestamp time);

  std::int64_t rows_ = 0;
  Timestamp first_;
  Timestamp last_;
  std::optional<double> temperature_max_;
  std::optional<std::size_t> power_;  // which of the metrics
  std::optional<double> watts_;  // of the last row, whose duration is not known yet
  std::int64_t readings_ = 0;
  double joules_ = 0;  // of steps that always count whole
  std::map<std::chrono::microseconds, double> long_steps_;  // watts by length, added up
};

// Keeps what was worked out: of a session that grew only the new rows are read. A few hundred bytes
// a session. Any thread.
class SessionFactsCache {
 public:
  // One call reads about so many rows, some seconds' work; years come in over a few calls.
  static constexpr std::int64_t kRowsReadMax = 3'000'000;

  explicit SessionFactsCache(std::int64_t rows_read_max = kRowsReadMax)
      : rows_read_max_(rows_read_max) {}

  // One for each of `sessions`, which must be in order of their first rows. Where the rows were too
  // many the oldest are without facts, and the next call goes on with them. The errors are the
  // history's.
  [[nodiscard]] Expected<std::vector<SessionFacts>> get(const History& history,
                                                        std::span<const SessionRecord> sessions);

 private:
  using Key = std::pair<std::string, std::int64_t>;  // source, session

  [[nodiscard]] SessionSums known(const SessionRecord& session) const;
  void keep(const SessionRecord& session, const SessionSums& sums);

  const std::int64_t rows_read_max_;
  mutable std::mutex mutex_;
  std::map<Key, SessionSums> kept_;
};

}  // namespace gpulse
