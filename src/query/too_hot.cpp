#include "query/too_hot.h"

#include <fmt/format.h>

#include "telemetry/metric.h"

namespace gpulse {
namespace {

constexpr double kNear = 5;  // °C
constexpr std::size_t kOthersSaid = 2;

bool is_temperature(const MetricRecord& metric) {
  return describe_metric(metric.name, metric.unit).group == "temperature" || metric.unit == "°C";
}

std::string_view side(const AlertRule& rule) { return rule.above() ? "under" : "above"; }

}  // namespace

TooHot::TooHot(const DeviceRecord& device, std::span<const AlertRule> rules, ColumnList& columns) {
  for (const MetricRecord& metric : device.metrics) {
    if (!is_temperature(metric)) continue;
    has_temperature_ = true;
    for (const AlertRule& rule : rules) {
      if (rule.metric != metric.name) continue;
      has_rule_ = true;
      sensors_.push_back({RuleTime(rule), metric.decimals, columns.add(metric.name), {}, {}});
    }
  }
}

void TooHot::add(const TimedBlock& block) {
  for (Sensor& sensor : sensors_) {
    if (block.values[sensor.column].empty()) continue;
    sensor.time.add(block, block.values[sensor.column]);
    note_readings(sensor, block);
  }
}

void TooHot::note_readings(Sensor& sensor, const TimedBlock& block) {
  const auto readings = block.values[sensor.column];
  for (std::size_t row = 0; row < readings.size(); ++row) {
    const double reading = readings[row];
    if (reading != reading) continue;
    if (!sensor.last || block.times[row] >= sensor.last->time) {
      sensor.last = ReadingAt{reading, block.times[row]};
    }
    if (!sensor.nearest || sensor.distance(reading) < sensor.distance(sensor.nearest->value)) {
      sensor.nearest = ReadingAt{reading, block.times[row]};
    }
  }
}

Answer TooHot::answer(const AnswerContext& context) const {
  Answer answer;
  answer.question = context.past ? "Was it too hot?" : "Too hot?";
  if (nearest_in_range() == nullptr) return without_sensor(std::move(answer));
  if (context.past) return answer_past(context, std::move(answer));
  if (context.stale || nearest_now(context) == nullptr) {
    return not_known_now(context, std::move(answer));
  }
  return answer_now(context, std::move(answer));
}

Answer TooHot::without_sensor(Answer answer) const {
  answer.sentence = !has_temperature_ ? "No temperature in this log"
                    : !has_rule_      ? "No rule for a temperature in this log"
                                      : "No temperature in this range";
  return answer;
}

Answer TooHot::not_known_now(const AnswerContext& context, Answer answer) const {
  const Sensor* seen = nearest_in_range();
  for (const Sensor& sensor : sensors_) {
    if (sensor.rule().metric == "gpu_temperature" && sensor.last) seen = &sensor;
  }
  answer.sentence =
      fmt::format("Not known now. Last seen {} °C", say_number(seen->last->value, seen->decimals));
  answer.evidence = context.say.at(seen->last->time);
  if (context.stale) answer.evidence += ". Is GPU-Z still open, with Log to file ticked?";
  answer.facts = {
      {"metric", seen->rule().metric}, {"last", seen->last->value}, {"last_at", seen->last->time}};
  return answer;
}

Answer TooHot::answer_now(const AnswerContext& context, Answer answer) const {
  const Sensor& nearest = *nearest_now(context);
  if (nearest.rule().beyond(nearest.last->value)) {
    answer.level = AnswerLevel::over;
    say_over(nearest, context, answer);
  } else if (const Sensor* held = furthest_held()) {
    answer.level = AnswerLevel::was_over;
    say_reached(*held, context, answer);
    answer.sentence.insert(0, "Not now. ");
  } else {
    say_under(nearest, context, answer);
  }
  return answer;
}

void TooHot::say_over(const Sensor& sensor, const AnswerContext& context, Answer& answer) const {
  const AlertRule& rule = sensor.rule();
  answer.sentence =
      fmt::format("Yes, {} {} °C, its rule is {}", sensor.name(),
                  say_number(sensor.last->value, sensor.decimals), say_limit(rule.limit));
  std::string evidence =
      fmt::format("since {}, ends {} {}", context.say.bare(sensor.time.current()->first),
                  rule.above() ? "below" : "above", say_limit(rule.release));
  const Sensor* other = nullptr;
  for (const Sensor& any : sensors_) {
    if (any.rule().metric == rule.metric || !is_now(any, context)) continue;
    if (other == nullptr || any.distance(any.last->value) < other->distance(other->last->value)) {
      other = &any;
    }
  }
  if (other != nullptr) {
    const double distance = other->distance(other->last->value);
    const std::string_view how = other->rule().beyond(other->last->value) ? "over"
                                 : distance <= kNear                      ? "near"
                                                                          : "well under";
    evidence += fmt::format(" · {} {} is {} its own {}", other->name(),
                            say_number(other->last->value, other->decimals), how,
                            say_limit(other->rule().limit));
  }
  answer.evidence = std::move(evidence);
  answer.facts = {{"metric", rule.metric},
                  {"now", sensor.last->value},
                  {"limit", rule.limit},
                  {"distance", sensor.distance(sensor.last->value)},
                  {"since", sensor.time.current()->first},
                  {"release", rule.release}};
}

void TooHot::say_reached(const Sensor& sensor, const AnswerContext& context, Answer& answer) const {
  const RuleTime::Run& run = *sensor.time.furthest_held();
  answer.sentence = fmt::format("{} reached {} °C {}", sensor.name(),
                                say_number(run.furthest.value, sensor.decimals),
                                context.say.at(run.furthest.time));
  const auto total = sensor.time.statistics().duration;
  answer.evidence =
      joined({fmt::format("{} its {} °C rule for {}", sensor.rule().above() ? "over" : "below",
                          say_limit(sensor.rule().limit), say_duration(total)),
              context.past ? others_at_most(sensor) : others_now(sensor, context)});
  answer.facts = {{"metric", sensor.rule().metric},
                  {"limit", sensor.rule().limit},
                  {"peak", run.furthest.value},
                  {"peak_at", run.furthest.time},
                  {"began", run.first},
                  {"seconds_over", std::chrono::duration<double>(total).count()}};
}

void TooHot::say_under(const Sensor& sensor, const AnswerContext& context, Answer& answer) const {
  const double distance = sensor.distance(sensor.last->value);
  answer.level = distance <= kNear ? AnswerLevel::near : AnswerLevel::ok;
  answer.sentence = fmt::format("No, {} {} °C {} its {} °C rule", sensor.name(),
                                say_number(distance, sensor.decimals), side(sensor.rule()),
                                say_limit(sensor.rule().limit));
  answer.evidence = joined({others_now(sensor, context), hottest(context)});
  const Sensor& peak = *nearest_in_range();
  answer.facts = {{"metric", sensor.rule().metric},       {"now", sensor.last->value},
                  {"limit", sensor.rule().limit},         {"distance", distance},
                  {"hottest_metric", peak.rule().metric}, {"hottest", peak.nearest->value},
                  {"hottest_at", peak.nearest->time}};
}

Answer TooHot::answer_past(const AnswerContext& context, Answer answer) const {
  if (const Sensor* held = furthest_held()) {
    answer.level = AnswerLevel::was_over;
    say_reached(*held, context, answer);
    answer.sentence.insert(0, "Yes, ");
    return answer;
  }
  const Sensor& peak = *nearest_in_range();
  const double distance = peak.distance(peak.nearest->value);
  const bool beyond = peak.rule().beyond(peak.nearest->value);
  const std::string reading = say_number(peak.nearest->value, peak.decimals);
  answer.level = beyond || distance <= kNear ? AnswerLevel::near : AnswerLevel::ok;
  if (beyond) {
    answer.sentence = fmt::format("No, but {} reached {} °C {}", peak.name(), reading,
                                  context.say.at(peak.nearest->time));
    answer.evidence =
        fmt::format("over its {} °C rule for {} in all, never for {}", say_limit(peak.rule().limit),
                    say_duration(peak.time.statistics().duration), say_duration(peak.rule().hold));
  } else {
    answer.sentence = fmt::format("No, {} stayed {} °C {} its {} °C rule", peak.name(),
                                  say_number(distance, peak.decimals), side(peak.rule()),
                                  say_limit(peak.rule().limit));
    answer.evidence =
        fmt::format("{} reached {} {}", peak.name(), reading, context.say.at(peak.nearest->time));
  }
  answer.evidence = joined({answer.evidence, others_at_most(peak)});
  answer.facts = {{"metric", peak.rule().metric},
                  {"limit", peak.rule().limit},
                  {"distance", distance},
                  {"hottest", peak.nearest->value},
                  {"hottest_at", peak.nearest->time}};
  return answer;
}

bool TooHot::is_now(const Sensor& sensor, const AnswerContext& context) {
  return sensor.last && context.newest - sensor.last->time <= context.fresh;
}

const TooHot::Sensor* TooHot::nearest_now(const AnswerContext& context) const {
  const Sensor* nearest = nullptr;
  for (const Sensor& sensor : sensors_) {
    if (!is_now(sensor, context)) continue;
    if (nearest == nullptr ||
        sensor.distance(sensor.last->value) < nearest->distance(nearest->last->value)) {
      nearest = &sensor;
    }
  }
  return nearest;
}

const TooHot::Sensor* TooHot::nearest_in_range() const {
  const Sensor* nearest = nullptr;
  for (const Sensor& sensor : sensors_) {
    if (!sensor.nearest) continue;
    if (nearest == nullptr ||
        sensor.distance(sensor.nearest->value) < nearest->distance(nearest->nearest->value)) {
      nearest = &sensor;
    }
  }
  return nearest;
}

const TooHot::Sensor* TooHot::furthest_held() const {
  const Sensor* furthest = nullptr;
  double least = 0;
  for (const Sensor& sensor : sensors_) {
    const auto& run = sensor.time.furthest_held();
    if (!run) continue;
    const double distance = sensor.distance(run->furthest.value);
    if (furthest != nullptr && distance >= least) continue;
    furthest = &sensor;
    least = distance;
  }
  return furthest;
}

std::string TooHot::others_now(const Sensor& but, const AnswerContext& context) const {
  std::string out;
  std::size_t said = 0;
  for (const Sensor& sensor : sensors_) {
    if (sensor.column == but.column || !is_now(sensor, context) || said == kOthersSaid) continue;
    out += fmt::format("{}{} {}", said++ == 0 ? "" : ", ", sensor.name(),
                       say_number(sensor.last->value, sensor.decimals));
  }
  return out;
}

std::string TooHot::others_at_most(const Sensor& but) const {
  std::string out;
  std::size_t said = 0;
  for (const Sensor& sensor : sensors_) {
    if (sensor.column == but.column || !sensor.nearest || said == kOthersSaid) continue;
    out += fmt::format("{}{} {}", said++ == 0 ? "" : ", ", sensor.name(),
                       say_number(sensor.nearest->value, sensor.decimals));
  }
  return out.empty() ? out : out + " at most";
}

std::string TooHot::hottest(const AnswerContext& context) const {
  const Sensor& peak = *nearest_in_range();
  std::string out = fmt::format("hottest in range {} {} {}", peak.name(),
                                say_number(peak.nearest->value, peak.decimals),
                                context.say.at(peak.nearest->time));
  const auto beyond = peak.time.statistics().duration;
  if (beyond.count() > 0) out += fmt::format(", over its rule for {}", say_duration(beyond));
  return out;
}

}  // namespace gpulse
