#include "query/rule_time.h"

namespace gpulse {
namespace {

// Whether `a` is further on the bad side than `b`.
bool further(const AlertRule& rule, double a, double b) { return rule.above() ? a > b : a < b; }

}  // namespace

void RuleTime::add(const TimedBlock& block, std::span<const double> readings) {
  if (block.session_index != session_) current_.reset();
  session_ = block.session_index;
  for (std::size_t row = 0; row < readings.size(); ++row) {
    const double reading = readings[row];
    if (reading != reading) continue;
    if (rule().beyond(reading)) {
      add_beyond(block.times[row], reading, std::chrono::microseconds{block.durations[row]});
    } else {
      current_.reset();
    }
  }
}

void RuleTime::add_beyond(Timestamp time, double reading, std::chrono::microseconds duration) {
  statistics_.duration += duration;
  if (!statistics_.first) statistics_.first = time;
  statistics_.last = time;
  auto& spans = statistics_.spans;
  if (span_end_ == time && !spans.empty()) {
    if (spans.back().to == time) spans.back().to = time + duration;
  } else if (spans.size() < kRuleSpansMax) {
    spans.push_back({time, time + duration});
  }
  span_end_ = time + duration;

  if (!current_) current_ = Run{time, time, {}, {reading, time}};
  current_->last = time;
  current_->duration += duration;
  if (further(rule(), reading, current_->furthest.value)) current_->furthest = {reading, time};
  if (current_->last - current_->first < rule().hold) return;
  const bool same = held_ && held_->first == current_->first;
  if (!held_ || same || further(rule(), current_->furthest.value, held_->furthest.value)) {
    held_ = current_;
  }
}

}  // namespace gpulse
