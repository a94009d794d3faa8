#include "query/step_window.h"

#include <algorithm>

namespace gpulse {
namespace {

double middle(std::span<const double> sorted) {
  const std::size_t half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

}  // namespace

double median_of(std::span<double> readings) {
  std::ranges::sort(readings);
  return middle(readings);
}

void StepWindow::move(std::span<const double> column, std::size_t begin, std::size_t end) {
  if (begin >= end_) {
    reset();
    begin_ = end_ = begin;
  }
  for (; begin_ < begin; ++begin_) {
    const double reading = column[begin_];
    if (reading == reading) sorted_.erase(std::ranges::lower_bound(sorted_, reading));
  }
  for (; end_ < end; ++end_) {
    const double reading = column[end_];
    if (reading == reading) sorted_.insert(std::ranges::upper_bound(sorted_, reading), reading);
  }
}

double StepWindow::median() const { return middle(sorted_); }

}  // namespace gpulse
