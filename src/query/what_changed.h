// "What changed?" Of use inside query/ only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "query/answer_context.h"
#include "query/steps.h"

namespace gpulse {

// Takes the rows of a walk. Not thread-safe; `device` must outlive it.
class WhatChanged {
 public:
  WhatChanged(const DeviceRecord& device, ColumnList& columns);

  void add(const TimedBlock& block);
  // Reads the rows around a step once more, for what else moved then; and where load has no step,
  // all rows, for those of power.
  [[nodiscard]] Expected<Answer> answer(const History& history, const AnswerContext& context) &&;

 private:
  struct Extent {
    double min = 0;
    double max = 0;
  };
  struct Column {
    MetricRecord metric;
    std::size_t column = 0;
    std::optional<Extent> extent;  // of its readings in the range
  };

  static void note_extent(Column& column, std::span<const double> readings);
  [[nodiscard]] Expected<std::vector<Step>> find_power_steps(const History& history,
                                                             TimeRange range);
  [[nodiscard]] Expected<void> say_step(const History& history, const AnswerContext& context,
                                        const std::vector<Step>& steps, Answer& answer) const;
  [[nodiscard]] Expected<void> say_sessions(const History& history, const AnswerContext& context,
                                            Answer& answer) const;
  void say_nothing(std::optional<Timestamp> began, const AnswerContext& context,
                   Answer& answer) const;
  [[nodiscard]] std::string extents() const;
  [[nodiscard]] const MetricRecord& record_of(const std::string& metric) const;

  const DeviceRecord& device_;
  std::optional<Column> load_;
  std::vector<Column> power_;  // what stands first is preferred
  StepFinder load_steps_;
};

}  // namespace gpulse
