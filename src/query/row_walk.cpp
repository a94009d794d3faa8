#include "query/row_walk.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace gpulse {
namespace {

// A longer step begins another session, so that the next row, if there is one, is within it.
constexpr std::chrono::minutes kStepMax{5};

// How long a row stands is known only when the next one is, which may be in the next block: the
// last row of a block is held back until then.
class RowWalk {
 public:
  RowWalk(Timestamp to, const TimedVisitor& visit) : to_(to), visit_(visit) {}

  void take(const Block& block) {
    if (block.times.empty()) return;
    enter(*block.session, block.times.front());
    const std::size_t rows = block.times.size();
    const auto inside =
        static_cast<std::size_t>(std::ranges::upper_bound(block.times, to_) - block.times.begin());
    const std::size_t complete = std::min(inside, rows - 1);
    emit(block, complete);
    if (inside == rows) hold(block);
  }

  void finish() {
    if (!held_) return;
    const bool newest = held_time_ >= session_.last;
    emit_held(newest ? session_.usual_step() : gap_limit_);
  }

 private:
  void enter(const SessionRecord& session, Timestamp next) {
    const bool same =
        index_ > 0 && session.session == session_.session && session.source == session_.source;
    if (same) {
      if (held_) emit_held(std::min(next - held_time_, gap_limit_));
      return;
    }
    finish();
    session_ = session;
    gap_limit_ = session.gap_limit();
    ++index_;
  }

  void emit(const Block& block, std::size_t rows) {
    if (rows == 0) return;
    const std::int64_t limit = gap_limit_.count();
    durations_.resize(rows);
    for (std::size_t row = 0; row < rows; ++row) {
      durations_[row] = std::min((block.times[row + 1] - block.times[row]).count(), limit);
    }
    spans_.clear();
    for (const auto& column : block.values)
      spans_.push_back(column.first(std::min(rows, column.size())));
    visit_({&session_, index_ - 1, block.times.first(rows), durations_, spans_});
  }

  void hold(const Block& block) {
    held_ = true;
    held_time_ = block.times.back();
    held_values_.clear();
    held_spans_.clear();
    held_values_.reserve(block.values.size());  // the spans point into it
    for (const auto& column : block.values) {
      if (column.empty()) {
        held_spans_.emplace_back();
        continue;
      }
      held_values_.push_back(column.back());
      held_spans_.emplace_back(&held_values_.back(), 1);
    }
  }

  void emit_held(std::chrono::microseconds duration) {
    held_ = false;
    const std::int64_t microseconds = duration.count();
    visit_({&session_, index_ - 1, {&held_time_, 1}, {&microseconds, 1}, held_spans_});
  }

  Timestamp to_;
  const TimedVisitor& visit_;
  std::size_t index_ = 0;
  SessionRecord session_;
  std::chrono::microseconds gap_limit_{0};
  bool held_ = false;
  Timestamp held_time_;
  std::vector<double> held_values_;
  std::vector<std::span<const double>> held_spans_;
  std::vector<std::int64_t> durations_;
  std::vector<std::span<const double>> spans_;
};

}  // namespace

Expected<void> walk_rows(const History& history, const ScanRequest& request,
                         const TimedVisitor& visit) {
  ScanRequest wider = request;
  wider.to += kStepMax;  // for the sake of the last row's duration
  RowWalk walk(request.to, visit);
  auto scanned = history.scan(wider, [&](const Block& block) {
    walk.take(block);
    return true;
  });
  if (!scanned) return std::unexpected(std::move(scanned).error());
  walk.finish();
  return {};
}

}  // namespace gpulse
