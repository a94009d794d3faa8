// What the three answers share. Of use inside query/ only.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "query/answers.h"
#include "query/phrases.h"
#include "query/row_walk.h"

namespace gpulse {

struct AnswerContext {
  TimeRange range;
  bool past = false;   // questions are put in the past
  bool stale = false;  // rows should come and do not
  TimePhrases say;
  std::int64_t rows = 0;                  // in the range
  std::chrono::microseconds duration{0};  // that they stand for
  Timestamp newest;                       // the last of them
  std::chrono::microseconds fresh{
      0};     // a reading this much older than the newest row is still "now"
};

// The columns that a walk has to bring, each once.
class ColumnList {
 public:
  std::size_t add(std::string_view metric) {
    const auto known = std::ranges::find(names_, metric);
    if (known != names_.end()) return static_cast<std::size_t>(known - names_.begin());
    names_.emplace_back(metric);
    return names_.size() - 1;
  }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
};

}  // namespace gpulse
