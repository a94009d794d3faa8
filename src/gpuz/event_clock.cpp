#include "gpuz/event_clock.h"

#include <algorithm>

namespace gpulse {
namespace {

constexpr std::int64_t kFoldStepBack = 1800;  // seconds
constexpr std::int32_t kBaseMax = 999;         // one more would be the next second

}  // namespace

EventClock::EventClock(std::shared_ptr<const TimeZone> zone, EventClockState state)
    : zone_(std::move(zone)), state_(state) {}

std::int64_t EventClock::to_utc(std::int64_t local) {
  const auto resolved = zone_->resolve(LocalSeconds{std::chrono::seconds{local}});
  const std::int64_t first = resolved.first.time_since_epoch().count();
  const std::int64_t second = resolved.second.time_since_epoch().count();
  if (resolved.kind != TimeZone::Resolved::Kind::repeated) {
    state_.second_fold = false;
    if (resolved.kind == TimeZone::Resolved::Kind::unique) {
      plain_from_ = resolved.same_from.time_since_epoch().count();
      plain_until_ = resolved.same_until.time_since_epoch().count();
      plain_offset_ = local - first;
    }
    return first;
  }
  const std::int64_t from = resolved.same_from.time_since_epoch().count();
  const std::int64_t until = resolved.same_until.time_since_epoch().count();
  const bool was_inside = state_.started && state_.last_local >= from && state_.last_local < until;
  if (!was_inside) state_.second_fold = false;
  const std::int64_t step_back = state_.last_local - local;
  if (was_inside && step_back >= std::min(kFoldStepBack, (second - first) / 2)) {
    state_.second_fold = true;
  }
  return state_.second_fold ? second : first;
}

EventClock::Instant EventClock::advance(std::int64_t local) {
  const bool plain = local >= plain_from_ && local < plain_until_;
  const std::int64_t second = plain ? local - plain_offset_ : to_utc(local);
  if (plain) state_.second_fold = false;
  bool begins = !state_.started;
  if (!state_.started || second > state_.last_second) {
    begins = begins || second - state_.last_second > kStepMax;
    state_.rank = 0;
  } else if (second == state_.last_second) {
    ++state_.rank;
  } else {
    begins = true;
    state_.rank = 0;
    state_.base = std::min(state_.base + 1, kBaseMax);
    state_.largest_second = std::max(state_.largest_second, state_.last_second);
  }
  // Never back to none: a second may be lived a third time, and then needs an instant of its own
  // again.
  const std::int64_t milliseconds = second <= state_.largest_second ? state_.base : 0;
  state_.started = true;
  state_.last_local = local;
  state_.last_second = second;
  return {from_microseconds(second * 1'000'000 + milliseconds * 1000 + state_.rank), begins};
}

}  // namespace gpulse
