// A sliding window over readings that knows its median. Of use inside query/ only.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace gpulse {

// The median of the present readings, the mean of the middle two where they are even in number;
// there must be one. Reorders `readings`.
[[nodiscard]] double median_of(std::span<double> readings);

// Rows [begin, end) of a column. Moving it costs about as much as the rows that enter and leave;
// a sorted array beats heaps and trees at these sizes (30 readings at one a second). Not
// thread-safe.
class StepWindow {
 public:
  // Both ends must not move backwards, except after reset().
  void move(std::span<const double> column, std::size_t begin, std::size_t end);
  void reset() { begin_ = end_ = 0, sorted_.clear(); }

  [[nodiscard]] std::size_t begin() const { return begin_; }
  [[nodiscard]] std::size_t end() const { return end_; }
  [[nodiscard]] std::size_t count() const { return sorted_.size(); }  // present readings
  [[nodiscard]] double median() const;

 private:
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::vector<double> sorted_;
};

}  // namespace gpulse
