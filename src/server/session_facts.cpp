#include "server/session_facts.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace gpulse {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr double kJoulesPerKilowattHour = 3.6e6;
constexpr std::array<std::string_view, 4> kAskedMetrics{"gpu_temperature", "board_power_draw",
                                                        "gpu_chip_power_draw", "power_consumption"};

// Adds up one session, block by block.
class Sums {
 public:
  void add(const Block& block) {
    const std::span<const double> temperature = block.values[0];
    for (const double value : temperature) {
      if (!std::isnan(value)) temperature_max_ = std::max(temperature_max_.value_or(value), value);
    }
    if (!power_) choose_power(block);
    if (!power_) return;
    const std::span<const double> power = block.values[*power_];
    const auto gap_limit = block.session->gap_limit();
    for (std::size_t row = 0; row < power.size(); ++row) {
      if (pending_) close_row(std::min(block.times[row] - pending_at_, gap_limit));
      pending_ = power[row];
      pending_at_ = block.times[row];
    }
  }

  [[nodiscard]] SessionFacts finish(const SessionRecord& session) {
    if (pending_) close_row(session.usual_step());
    SessionFacts facts{temperature_max_, {}};
    if (readings_ > 0) facts.energy_kwh = joules_ / kJoulesPerKilowattHour;
    return facts;
  }

 private:
  void choose_power(const Block& block) {
    for (std::size_t i = 1; i < kAskedMetrics.size() && !power_; ++i) {
      if (!block.values[i].empty()) power_ = i;
    }
  }
  void close_row(std::chrono::microseconds duration) {
    if (std::isnan(*pending_)) return;
    joules_ += *pending_ * Seconds(duration).count();
    ++readings_;
  }

  std::optional<double> temperature_max_;
  std::optional<std::size_t> power_;  // which of the asked metrics
  std::optional<double> pending_;     // power of the row whose duration is not known yet
  Timestamp pending_at_;
  double joules_ = 0;
  std::size_t readings_ = 0;
};

Expected<SessionFacts> work_out(const History& history, const Device& device,
                                const SessionRecord& session) {
  const ScanRequest request{
      device, session.first, session.last, {kAskedMetrics.begin(), kAskedMetrics.end()}};
  Sums sums;
  const auto scanned = history.scan(request, [&](const Block& block) {
    // Another log of the same device may hold rows of the same time.
    if (block.session->source == session.source && block.session->session == session.session) {
      sums.add(block);
    }
    return true;
  });
  if (!scanned) return std::unexpected(scanned.error());
  return sums.finish(session);
}

}  // namespace

Expected<std::vector<SessionFacts>> SessionFactsCache::get(
    const History& history, const Device& device, std::span<const SessionRecord> sessions) {
  std::vector<SessionFacts> out;
  for (const SessionRecord& session : sessions) {
    const Key key{session.source, session.session};
    {
      const std::lock_guard lock(mutex_);
      const auto kept = kept_.find(key);
      if (kept != kept_.end() && kept->second.rows == session.rows) {
        out.push_back(kept->second.facts);
        continue;
      }
    }
    auto facts = work_out(history, device, session);
    if (!facts) return std::unexpected(std::move(facts).error());
    out.push_back(*facts);
    const std::lock_guard lock(mutex_);
    kept_[key] = {session.rows, *facts};
  }
  return out;
}

}  // namespace gpulse
