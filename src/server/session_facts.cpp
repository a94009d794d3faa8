#include "server/session_facts.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace gpulse {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr double kJoulesPerKilowattHour = 3.6e6;
constexpr std::array<std::string_view, 4> kMetrics{"gpu_temperature", "board_power_draw",
                                                   "gpu_chip_power_draw", "power_consumption"};
// No session's gap limit is shorter.
constexpr std::chrono::microseconds kWholeStepMax{5'000'000};

// Reads rows of a session that `sums` does not have, until it has `rows`.
Expected<void> read_on(const History& history, const SessionRecord& session, std::int64_t rows,
                       SessionSums& sums) {
  const Timestamp from =
      sums.rows() == 0 ? session.first : sums.last() + std::chrono::microseconds{1};
  return history.scan(
      {session.device, from, session.last, SessionSums::metrics()}, [&](const Block& block) {
        // Another log of the same device may hold rows of the same time.
        if (block.session->source == session.source && block.session->session == session.session) {
          sums.add(block);
        }
        return sums.rows() < rows;
      });
}

}  // namespace

std::vector<std::string> SessionSums::metrics() { return {kMetrics.begin(), kMetrics.end()}; }

void SessionSums::add(const Block& block) {
  for (const double value : block.values[0]) {
    if (!std::isnan(value)) temperature_max_ = std::max(temperature_max_.value_or(value), value);
  }
  for (std::size_t i = 1; i < kMetrics.size() && !power_; ++i) {
    if (!block.values[i].empty()) power_ = i;
  }
  if (rows_ == 0) first_ = block.times.front();
  if (power_) {
    const std::span<const double> power = block.values[*power_];
    for (std::size_t row = 0; row < power.size(); ++row) add_power(power[row], block.times[row]);
  }
  rows_ += static_cast<std::int64_t>(block.times.size());
  last_ = block.times.back();
}

void SessionSums::add_power(double watts, Timestamp time) {
  if (watts_ && !std::isnan(*watts_)) {
    const auto step = time - last_;
    if (step <= kWholeStepMax) {
      joules_ += *watts_ * Seconds(step).count();
    } else {
      long_steps_[step] += *watts_;
    }
  }
  if (!std::isnan(watts)) ++readings_;
  watts_ = watts;
  last_ = time;
}

SessionFacts SessionSums::facts(const SessionRecord& session) const {
  SessionFacts facts{temperature_max_, {}};
  if (readings_ == 0) return facts;
  double joules = joules_;
  for (const auto& [step, watts] : long_steps_) {
    joules += watts * Seconds(std::min(step, session.gap_limit())).count();
  }
  if (!std::isnan(*watts_)) joules += *watts_ * Seconds(session.usual_step()).count();
  facts.energy_kwh = joules / kJoulesPerKilowattHour;
  return facts;
}

SessionSums SessionFactsCache::known(const SessionRecord& session) const {
  const std::lock_guard lock(mutex_);
  const auto kept = kept_.find({session.source, session.session});
  // Fewer rows, or another first one: retention took some.
  if (kept == kept_.end() || kept->second.rows() > session.rows ||
      kept->second.first() != session.first) {
    return {};
  }
  return kept->second;
}

void SessionFactsCache::keep(const SessionRecord& session, const SessionSums& sums) {
  const std::lock_guard lock(mutex_);
  kept_.insert_or_assign({session.source, session.session}, sums);
}

Expected<std::vector<SessionFacts>> SessionFactsCache::get(
    const History& history, std::span<const SessionRecord> sessions) {
  std::vector<SessionFacts> out(sessions.size());
  std::int64_t left = rows_read_max_;
  for (std::size_t i = sessions.size(); i-- > 0;) {
    const SessionRecord& session = sessions[i];
    SessionSums sums = known(session);
    if (sums.rows() < session.rows && left > 0) {
      const std::int64_t before = sums.rows();
      const std::int64_t until = std::min(session.rows, before + left);
      if (auto read = read_on(history, session, until, sums); !read) {
        return std::unexpected(std::move(read).error());
      }
      left -= sums.rows() - before;
      keep(session, sums);
    }
    if (sums.rows() == session.rows) out[i] = sums.facts(session);
  }
  return out;
}

}  // namespace gpulse
