// "Too hot?" Of use inside query/ only.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "query/answer_context.h"
#include "query/rule_time.h"

namespace gpulse {

// Takes the rows of a walk. Not thread-safe.
class TooHot {
 public:
  TooHot(const DeviceRecord& device, std::span<const AlertRule> rules, ColumnList& columns);

  void add(const TimedBlock& block);
  [[nodiscard]] Answer answer(const AnswerContext& context) const;

 private:
  // A temperature and a rule on it.
  struct Sensor {
    RuleTime time;
    int decimals = 0;
    std::size_t column = 0;
    std::optional<ReadingAt> last;
    std::optional<ReadingAt> nearest;  // to its limit, or furthest beyond it, in the range

    [[nodiscard]] const AlertRule& rule() const { return time.rule(); }
    [[nodiscard]] std::string name() const { return say_metric(rule().metric); }
    // How far on the good side of its limit.
    [[nodiscard]] double distance(double reading) const {
      return rule().above() ? rule().limit - reading : reading - rule().limit;
    }
  };

  static void note_readings(Sensor& sensor, const TimedBlock& block);
  [[nodiscard]] static bool is_now(const Sensor& sensor, const AnswerContext& context);
  [[nodiscard]] Answer answer_now(const AnswerContext& context, Answer answer) const;
  [[nodiscard]] Answer answer_past(const AnswerContext& context, Answer answer) const;
  [[nodiscard]] Answer without_sensor(Answer answer) const;
  [[nodiscard]] Answer not_known_now(const AnswerContext& context, Answer answer) const;
  void say_over(const Sensor& sensor, const AnswerContext& context, Answer& answer) const;
  void say_reached(const Sensor& sensor, const AnswerContext& context, Answer& answer) const;
  void say_under(const Sensor& sensor, const AnswerContext& context, Answer& answer) const;
  [[nodiscard]] const Sensor* nearest_now(const AnswerContext& context) const;
  [[nodiscard]] const Sensor* nearest_in_range() const;
  [[nodiscard]] const Sensor* furthest_held() const;
  [[nodiscard]] std::string others_now(const Sensor& but, const AnswerContext& context) const;
  [[nodiscard]] std::string others_at_most(const Sensor& but) const;
  [[nodiscard]] std::string hottest(const AnswerContext& context) const;

  std::vector<Sensor> sensors_;
  bool has_temperature_ = false;
  bool has_rule_ = false;
};

}  // namespace gpulse
