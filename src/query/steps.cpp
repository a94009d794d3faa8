#include "query/steps.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace gpulse {
namespace {

constexpr std::chrono::microseconds kWindow{30'000'000};
constexpr int kWindowSteps = 10;     // of usual steps, where those are long
constexpr double kCoverage = 0.8;    // of the readings that a window should hold
constexpr std::size_t kReadingsMin = 5;
constexpr double kAgreement = 0.8;   // of a side's readings on their side of the middle
constexpr double kWorkLoad = 10;     // below, the card idles
constexpr double kEqualLoad = 10;    // points apart
constexpr std::size_t kRowsBuffered = 16'384;
constexpr std::size_t kRowsQuiet = 64;  // looked at together, whether anything happens at all

std::vector<double> present(std::span<const double> readings) {
  std::vector<double> out;
  std::ranges::copy_if(readings, std::back_inserter(out), [](double r) { return r == r; });
  return out;
}

// Whether enough of the readings are nearer to their own median than to the other.
bool agree(std::span<const double> readings, double own, double other) {
  const auto near = std::ranges::count_if(readings, [&](double reading) {
    return std::abs(reading - own) < std::abs(reading - other);
  });
  return static_cast<double>(near) >= kAgreement * static_cast<double>(readings.size());
}

}  // namespace

void StepFinder::add(const TimedBlock& block, const std::string& metric,
                     std::span<const double> readings, std::span<const double> load) {
  if (!reading_ || block.session_index != session_index_) {
    end_session();
    begin_session(block, metric, !load.empty());
  }
  if (readings_min_ == 0) return;  // a session of one row
  times_.insert(times_.end(), block.times.begin(), block.times.end());
  readings_.insert(readings_.end(), readings.begin(), readings.end());
  load_.insert(load_.end(), load.begin(), load.end());
  if (times_.size() < kRowsBuffered) return;
  examine(false);
  forget_old_rows();
}

std::vector<Step> StepFinder::finish() && {
  end_session();
  std::ranges::stable_sort(steps_, {}, &Step::time);
  return std::move(steps_);
}

void StepFinder::begin_session(const TimedBlock& block, const std::string& metric, bool with_load) {
  reading_ = true;
  metric_ = metric;
  source_ = block.session->source;
  session_ = block.session->session;
  session_index_ = block.session_index;
  const auto step = block.session->usual_step();
  window_ = std::max(kWindow, kWindowSteps * step);
  readings_min_ = 0;
  if (step.count() > 0) {
    const auto full = static_cast<double>(window_.count()) / static_cast<double>(step.count());
    readings_min_ = std::max(kReadingsMin, static_cast<std::size_t>(kCoverage * full));
  }
  load_.clear();
  if (with_load) load_.reserve(1024);
}

void StepFinder::end_session() {
  if (!reading_) return;
  examine(true);
  reading_ = false;
  times_.clear();
  readings_.clear();
  load_.clear();
  next_ = 0;
  before_.reset();
  after_.reset();
}

// The first row of the window before `row`.
std::size_t StepFinder::window_begin(std::size_t row) const {
  const auto begin = times_.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(row);
  return static_cast<std::size_t>(std::ranges::upper_bound(begin, end, times_[row - 1] - window_) -
                                  begin);
}

// Behind the last row of the window from `row` on.
std::size_t StepFinder::window_end(std::size_t row) const {
  const auto begin = times_.begin() + static_cast<std::ptrdiff_t>(row);
  return static_cast<std::size_t>(
      std::ranges::lower_bound(begin, times_.end(), times_[row] + window_) - times_.begin());
}

bool StepFinder::enough(double before, double after) const {
  return std::abs(after - before) >= std::max(size_.least, size_.least_share * std::abs(before));
}

// Rows wait until all that a run ending there can ask for has come, unless the session ends: the
// best row of the run, a window on to the instant, a window after that.
void StepFinder::examine(bool to_the_end) {
  std::size_t end = times_.size();
  if (!to_the_end && end > 0) {
    end = static_cast<std::size_t>(std::ranges::lower_bound(times_, times_.back() - 3 * window_) -
                                   times_.begin());
  }
  next_ = std::max<std::size_t>(next_, 1);
  while (next_ < end) {
    const std::size_t stop = std::min(end, next_ + kRowsQuiet);
    if (quiet(next_, stop)) {
      if (run_) close_run();
      next_ = stop;
      continue;
    }
    for (; next_ < stop; ++next_) examine_row(next_);
  }
  if (to_the_end && run_) close_run();
}

// No step can be where the readings around differ by less than one.
bool StepFinder::quiet(std::size_t begin, std::size_t end) const {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  const std::size_t last = window_end(end - 1);
  for (std::size_t row = window_begin(begin); row < last; ++row) {
    low = readings_[row] < low ? readings_[row] : low;
    high = readings_[row] > high ? readings_[row] : high;
  }
  return !(high - low >= size_.least);
}

void StepFinder::examine_row(std::size_t row) {
  // From row to row the windows move by a row or so: no need to search for their ends.
  std::size_t begin = before_.begin();
  std::size_t end = after_.end();
  if (before_.end() + 1 != row || before_.end() == 0) {
    begin = window_begin(row);
    end = window_end(row);
  }
  while (times_[begin] <= times_[row - 1] - window_) ++begin;
  while (end < times_.size() && times_[end] < times_[row] + window_) ++end;
  before_.move(readings_, begin, row);
  after_.move(readings_, row, end);
  const bool covered = std::min(before_.count(), after_.count()) >= readings_min_;
  const double before = covered ? before_.median() : 0;
  const double after = covered ? after_.median() : 0;
  const double difference = after - before;
  if (!covered || !enough(before, after)) {
    if (run_) close_run();
    return;
  }
  if (run_ && (run_->difference > 0) != (difference > 0)) close_run();
  if (!run_ || std::abs(difference) > std::abs(run_->difference)) {
    run_ = Run{row, difference, before, after};
  }
}

void StepFinder::close_run() {
  const Run run = *std::exchange(run_, std::nullopt);
  auto step = measure(refine(run));
  if (step) steps_.push_back(*std::move(step));
}

// The row that splits the readings around best; 0 is never it, since the first row has none before.
std::size_t StepFinder::refine(const Run& run) const {
  const std::size_t end = window_end(run.best);
  double cost = 0;  // less the same constant everywhere
  double least = std::numeric_limits<double>::infinity();
  std::size_t best = run.best;
  for (std::size_t row = window_begin(run.best); row < end; ++row) {
    const double reading = readings_[row];
    if (reading != reading) continue;
    if (row > 0 && cost < least) {
      least = cost;
      best = row;
    }
    cost += std::abs(reading - run.before) - std::abs(reading - run.after);
  }
  return best;
}

std::optional<Step> StepFinder::measure(std::size_t row) const {
  const std::span all(readings_);
  const std::size_t begin = window_begin(row);
  std::vector<double> before = present(all.subspan(begin, row - begin));
  std::vector<double> after = present(all.subspan(row, window_end(row) - row));
  if (std::min(before.size(), after.size()) < readings_min_) return std::nullopt;
  Step step{times_[row], times_[row - 1], median_of(before), median_of(after),
            window_,     metric_,         source_,           session_};
  if (!enough(step.before, step.after)) return std::nullopt;
  if (!agree(before, step.before, step.after)) return std::nullopt;
  if (!agree(after, step.after, step.before)) return std::nullopt;
  if (!load_.empty() && !equal_load(row)) return std::nullopt;
  return step;
}

bool StepFinder::equal_load(std::size_t row) const {
  const std::span all(load_);
  const std::size_t begin = window_begin(row);
  std::vector<double> before = present(all.subspan(begin, row - begin));
  std::vector<double> after = present(all.subspan(row, window_end(row) - row));
  if (before.empty() || after.empty()) return false;
  const double old_load = median_of(before);
  const double new_load = median_of(after);
  return std::min(old_load, new_load) >= kWorkLoad && std::abs(new_load - old_load) < kEqualLoad;
}

// Keeps what the next row and an open run can still ask for: two windows before it.
void StepFinder::forget_old_rows() {
  const std::size_t from = run_ ? std::min(run_->best, next_) : next_;
  const auto kept = std::ranges::lower_bound(times_, times_[from] - 2 * window_);
  // Not the row before the next one, from which the window before is measured.
  const std::size_t rows = std::min(static_cast<std::size_t>(kept - times_.begin()), from - 1);
  const auto count = static_cast<std::ptrdiff_t>(rows);
  times_.erase(times_.begin(), times_.begin() + count);
  readings_.erase(readings_.begin(), readings_.begin() + count);
  if (!load_.empty()) load_.erase(load_.begin(), load_.begin() + count);
  next_ -= rows;
  if (run_) run_->best -= rows;
  // The windows are filled anew for the next row: once in some thousand rows.
  before_.reset();
  after_.reset();
}

}  // namespace gpulse
