// The page's three questions answered in sentences: too hot? held back? what changed?
// The formulas are stated in docs/answers.md; every number in a sentence is among its facts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "query/statistics.h"
#include "store/history.h"
#include "stream/alert.h"
#include "telemetry/error.h"
#include "telemetry/time_zone.h"
#include "telemetry/timestamp.h"

namespace gpulse {

enum class AnswerLevel { ok, near, over, was_over, limited, unknown };
[[nodiscard]] std::string_view to_string(AnswerLevel level);

// A number, instant, word or truth that an answer was made from.
struct Fact {
  std::string name;
  std::variant<double, std::int64_t, bool, Timestamp, std::string> value;
};

struct Answer {
  std::string question;  // "Too hot?", of the past "Was it too hot?"
  AnswerLevel level = AnswerLevel::unknown;
  std::string sentence;  // UTF-8; U+202F as thousands mark, U+2212 as minus
  std::string evidence;  // may be empty
  std::vector<Fact> facts;
  std::optional<TimeRange> zoom;  // what a click shows; of "What changed?" alone
};

struct AnswersRequest {
  TimeRange range;
  std::span<const AlertRule> rules;
  std::shared_ptr<const TimeZone> zone;  // in which sentences say times; must not be null
  // Word the answers as of an old log even though the device lives; so it is in any case when the
  // device has ended, or its newest rows lie behind the range.
  bool past = false;
};

struct Answers {
  Device device;
  DeviceState state = DeviceState::ended;
  TimeRange range;
  Answer too_hot;
  Answer held_back;
  Answer what_changed;
};

// Usage error: from > to; others are the history's. Pure, but for reading `history`; any thread.
[[nodiscard]] Expected<Answers> answer_questions(const History& history, const DeviceRecord& device,
                                                 const AnswersRequest& request);

}  // namespace gpulse
