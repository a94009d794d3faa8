// "Held back?" Of use inside query/ only.
#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "query/answer_context.h"
#include "query/limit_time.h"

namespace gpulse {

// Takes the rows of a walk. Not thread-safe.
class HeldBack {
 public:
  explicit HeldBack(ColumnList& columns)
      : perfcap_(columns.add("perfcap_reason")), load_(columns.add("gpu_load")) {}

  void add(const TimedBlock& block);
  [[nodiscard]] Answer answer(const AnswerContext& context) &&;

 private:
  [[nodiscard]] std::string unlimited_evidence() const;

  std::size_t perfcap_;
  std::size_t load_;
  LimitTime limits_;
  bool has_column_ = false;
  std::int64_t readings_ = 0;
  std::int64_t absent_ = 0;
  std::set<std::int64_t> values_;
  std::optional<double> load_max_;  // beside a PerfCap reading
};

}  // namespace gpulse
