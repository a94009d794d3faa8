// Asking the three questions, for the tests of their answers.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "query/answers.h"
#include "query/test_history.h"

namespace gpulse::test {

inline std::vector<double> repeated(std::size_t rows, double value) {
  return std::vector<double>(rows, value);
}

inline std::vector<double> then(std::vector<double> first, const std::vector<double>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

struct Ask {
  DeviceState state = DeviceState::live;
  std::optional<TimeRange> range = std::nullopt;
  bool past = false;
};

// at(0) is 13:46:40 in UTC.
inline Answers ask(TestHistory& history, const Ask& how = {}) {
  for (const auto* metric : {"gpu_temperature", "hot_spot_temperature", "cpu_temperature"}) {
    history.set_decimals(metric, 1);
  }
  const DeviceRecord device = history.device(how.state);
  const TimeRange range = how.range.value_or(TimeRange{device.first, device.last});
  auto answers = answer_questions(history, device,
                                  {range, default_alert_rules(), *TimeZone::find("UTC"), how.past});
  EXPECT_TRUE(answers) << answers.error().message;
  return *std::move(answers);
}

inline double number_of(const Answer& answer, std::string_view name) {
  for (const Fact& fact : answer.facts) {
    if (fact.name == name) return std::get<double>(fact.value);
  }
  ADD_FAILURE() << "no fact " << name;
  return 0;
}

inline Timestamp time_of(const Answer& answer, std::string_view name) {
  for (const Fact& fact : answer.facts) {
    if (fact.name == name) return std::get<Timestamp>(fact.value);
  }
  ADD_FAILURE() << "no fact " << name;
  return {};
}

}  // namespace gpulse::test
