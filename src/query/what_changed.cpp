#include "query/what_changed.h"

#include <fmt/format.h>

#include <algorithm>

#include "query/step_evidence.h"

namespace gpulse {
namespace {

constexpr double kLoadStep = 20;      // points
constexpr double kRecentShare = 0.5;  // of the largest step
constexpr std::chrono::minutes kFollowed{5};
constexpr std::chrono::minutes kZoomBefore{2};
constexpr std::chrono::minutes kZoomAfter{4};
constexpr std::size_t kSessionsSaid = 2;

// The most recent step that is at least half as large as the largest.
std::size_t recent(const std::vector<Step>& steps) {
  const double largest = std::ranges::max_element(steps, {}, &Step::size)->size();
  std::size_t index = steps.size() - 1;
  while (steps[index].size() < kRecentShare * largest) --index;
  return index;
}

TimeRange zoom_on(Timestamp time, TimeRange range) {
  return {std::max(range.from, time - kZoomBefore), std::min(range.to, time + kZoomAfter)};
}

struct SessionBegin {
  Timestamp time;
  std::chrono::microseconds pause;  // since the rows before; negative where sessions overlap
};

struct SessionBegins {
  std::optional<Timestamp> first;  // a session that begins in the range before any other row of it
  std::vector<SessionBegin> again;  // the others, in order of time
};

SessionBegins begins_within(const std::vector<SessionRecord>& sessions, TimeRange range) {
  SessionBegins begins;
  std::optional<Timestamp> before;  // the last row of the sessions before
  for (const SessionRecord& session : sessions) {
    if (session.last < range.from || session.first > range.to) continue;
    if (before) {
      begins.again.push_back({session.first, session.first - *before});
    } else if (session.first >= range.from) {
      begins.first = session.first;
    }
    before = std::max(before.value_or(session.last), session.last);
  }
  return begins;
}

// "at 18:41:54 after 9 s, 18:47:06 after 5 s"
std::string say_newest(std::span<const SessionBegin> begins, const TimePhrases& say) {
  std::string out = begins.size() > kSessionsSaid ? "last " : "";
  const auto newest = begins.last(kSessionsSaid);
  for (const SessionBegin& begin : newest) {
    const bool first = &begin == newest.data();
    out += first ? say.at(begin.time) : ", " + say.bare(begin.time);
    if (begin.pause.count() > 0) out += " after " + say_duration(begin.pause);
  }
  return out;
}

}  // namespace

WhatChanged::WhatChanged(const DeviceRecord& device, ColumnList& columns)
    : device_(device), load_steps_(StepSize{kLoadStep, 0}) {
  const auto find = [&](const std::string& metric) -> std::optional<Column> {
    const auto known = std::ranges::find(device.metrics, metric, &MetricRecord::name);
    if (known == device.metrics.end()) return std::nullopt;
    return Column{*known, 0, {}};
  };
  load_ = find("gpu_load");
  if (load_) load_->column = columns.add(load_->metric.name);
  for (const std::string& metric : power_metrics()) {
    if (auto column = find(metric)) power_.push_back(*std::move(column));
  }
}

void WhatChanged::add(const TimedBlock& block) {
  if (!load_ || block.values[load_->column].empty()) return;
  note_extent(*load_, block.values[load_->column]);
  load_steps_.add(block, load_->metric.name, block.values[load_->column], {});
}

Expected<std::vector<Step>> WhatChanged::find_power_steps(const History& history, TimeRange range) {
  ColumnList columns;
  const std::size_t load_column = columns.add("gpu_load");
  for (Column& power : power_) power.column = columns.add(power.metric.name);
  StepFinder finder(StepSize{kPowerStepWatts, kPowerStepShare});
  auto walked =
      walk_rows(history, {device_.device, range.from, range.to, columns.names()},
                [&](const TimedBlock& block) {
                  for (Column& power : power_) {
                    const auto readings = block.values[power.column];
                    if (readings.empty()) continue;
                    note_extent(power, readings);
                    finder.add(block, power.metric.name, readings, block.values[load_column]);
                    break;
                  }
                });
  if (!walked) return std::unexpected(std::move(walked).error());
  return std::move(finder).finish();
}

void WhatChanged::note_extent(Column& column, std::span<const double> readings) {
  for (const double reading : readings) {
    if (reading != reading) continue;
    if (!column.extent) column.extent = Extent{reading, reading};
    column.extent->min = std::min(column.extent->min, reading);
    column.extent->max = std::max(column.extent->max, reading);
  }
}

Expected<Answer> WhatChanged::answer(const History& history, const AnswerContext& context) && {
  Answer answer;
  answer.question = "What changed?";
  std::vector<Step> steps = std::move(load_steps_).finish();
  if (steps.empty() && !power_.empty()) {
    auto power_steps = find_power_steps(history, context.range);
    if (!power_steps) return std::unexpected(std::move(power_steps).error());
    steps = *std::move(power_steps);
  }
  auto said = steps.empty() ? say_sessions(history, context, answer)
                            : say_step(history, context, steps, answer);
  if (!said) return std::unexpected(std::move(said).error());
  return answer;
}

Expected<void> WhatChanged::say_step(const History& history, const AnswerContext& context,
                                     const std::vector<Step>& steps, Answer& answer) const {
  const std::size_t index = recent(steps);
  const Step& step = steps[index];
  const MetricRecord& metric = record_of(step.metric);
  const bool load = load_ && step.metric == load_->metric.name;
  std::string subject = capitalised(say_metric(step.metric));
  if (!load && subject != "Power") subject += " power";
  answer.level = AnswerLevel::ok;
  answer.sentence =
      fmt::format("{} {} {} → {} {} {}{}", subject, step.after > step.before ? "rose" : "fell",
                  say_number(step.before, 0), say_number(step.after, 0), metric.unit,
                  context.say.at(step.time), load || !load_ ? "" : ", at equal load");
  answer.zoom = zoom_on(step.time, context.range);
  answer.facts = {{"metric", step.metric},
                  {"before", step.before},
                  {"after", step.after},
                  {"at", step.time},
                  {"steps", static_cast<std::int64_t>(steps.size())}};

  Timestamp until = std::min(context.range.to, step.time + kFollowed);
  if (index + 1 < steps.size()) {
    until = std::min(until, steps[index + 1].time - std::chrono::microseconds{1});
  }
  auto evidence = step_evidence(history, device_, step, context.range.from, until);
  if (!evidence) return std::unexpected(std::move(evidence).error());
  answer.evidence = joined(*evidence);
  return {};
}

Expected<void> WhatChanged::say_sessions(const History& history, const AnswerContext& context,
                                         Answer& answer) const {
  auto sessions = history.sessions(device_.device);
  if (!sessions) return std::unexpected(std::move(sessions).error());
  const SessionBegins begins = begins_within(*sessions, context.range);
  if (begins.again.empty()) {
    say_nothing(begins.first, context, answer);
    return {};
  }
  const SessionBegin& newest = begins.again.back();
  answer.level = AnswerLevel::ok;
  if (begins.again.size() == 1) {
    answer.sentence = "Logging began again " + context.say.at(newest.time);
    if (newest.pause.count() > 0) answer.evidence = say_duration(newest.pause) + " without a row";
  } else {
    answer.sentence = "Logging began again, " + say_times(begins.again.size());
    answer.evidence = say_newest(begins.again, context.say);
  }
  answer.zoom = zoom_on(newest.time, context.range);
  answer.facts = {{"sessions_begun", static_cast<std::int64_t>(begins.again.size())},
                  {"at", newest.time},
                  {"pause_seconds", std::chrono::duration<double>(newest.pause).count()}};
  return {};
}

void WhatChanged::say_nothing(std::optional<Timestamp> began, const AnswerContext& context,
                              Answer& answer) const {
  answer.evidence = extents();
  if (context.rows == 0) {
    answer.sentence = "No row in this range";
  } else if (answer.evidence.empty()) {
    answer.sentence = "This log cannot say";
    answer.evidence = "no load and no power in it";
  } else {
    answer.level = AnswerLevel::ok;
    answer.sentence = began ? "Nothing since logging began " + context.say.at(*began)
                            : "Nothing in " + say_duration(context.duration);
  }
}

std::string WhatChanged::extents() const {
  std::vector<std::string> parts;
  const auto say = [&](const Column& column) {
    if (!column.extent) return;
    const std::string low = say_number(column.extent->min, 0);
    const std::string high = say_number(column.extent->max, 0);
    parts.push_back(fmt::format("{} {} {}", say_metric(column.metric.name),
                                low == high ? low : low + " – " + high, column.metric.unit));
  };
  if (load_) say(*load_);
  for (const Column& power : power_) say(power);
  return joined(parts);
}

const MetricRecord& WhatChanged::record_of(const std::string& metric) const {
  return *std::ranges::find(device_.metrics, metric, &MetricRecord::name);
}

}  // namespace gpulse
