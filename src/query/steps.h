// Steps of a metric: instants at which it changed its level. docs/answers.md states the formula.
// Of use inside query/ only.
#pragma once

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "query/row_walk.h"
#include "query/step_window.h"

namespace gpulse {

struct Step {
  Timestamp time;      // of the first row on the new level
  Timestamp previous;  // of the row before it; a pause may lie between
  double before = 0;  // medians
  double after = 0;
  std::chrono::microseconds window{0};  // the length that they were taken over
  std::string metric;
  std::string source;  // with the session: where it was found
  std::int64_t session = 0;

  [[nodiscard]] double size() const { return std::abs(after - before); }
};

// What counts as a step: at least `least`, and at least `least_share` of the value before.
struct StepSize {
  double least = 0;
  double least_share = 0;
};

// Takes the rows of a walk, one metric of each. Not thread-safe. Memory does not grow with the
// rows.
class StepFinder {
 public:
  explicit StepFinder(StepSize size) : size_(size) {}

  // With `load`, only what happens at work and at equal load counts; without, it must be empty.
  void add(const TimedBlock& block, const std::string& metric, std::span<const double> readings,
           std::span<const double> load);

  // All steps, in order of time.
  [[nodiscard]] std::vector<Step> finish() &&;

 private:
  // Neighbouring rows with differences of one sign, at least as large as asked.
  struct Run {
    std::size_t best = 0;  // the row with the largest difference
    double difference = 0;
    double before = 0;
    double after = 0;
  };

  void begin_session(const TimedBlock& block, const std::string& metric, bool with_load);
  void end_session();
  void examine(bool to_the_end);
  [[nodiscard]] bool quiet(std::size_t begin, std::size_t end) const;
  void examine_row(std::size_t row);
  void close_run();
  [[nodiscard]] std::size_t refine(const Run& run) const;
  [[nodiscard]] std::optional<Step> measure(std::size_t row) const;
  [[nodiscard]] bool equal_load(std::size_t row) const;
  void forget_old_rows();
  [[nodiscard]] std::size_t window_begin(std::size_t row) const;
  [[nodiscard]] std::size_t window_end(std::size_t row) const;
  [[nodiscard]] bool enough(double before, double after) const;

  StepSize size_;
  std::vector<Step> steps_;

  // Of the session that is being read.
  std::string metric_;
  std::string source_;
  std::int64_t session_ = 0;
  std::size_t session_index_ = 0;
  bool reading_ = false;
  std::chrono::microseconds window_{0};
  std::size_t readings_min_ = 0;  // on each side
  std::vector<Timestamp> times_;
  std::vector<double> readings_;
  std::vector<double> load_;  // empty without
  std::size_t next_ = 0;      // the row to examine next
  StepWindow before_;
  StepWindow after_;
  std::optional<Run> run_;
};

}  // namespace gpulse
