#include "query/held_back.h"

#include <fmt/format.h>

#include <cmath>

namespace gpulse {
namespace {

constexpr double kFullLoad = 90;       // worth saying that even then nothing limits
constexpr double kShareSaid = 0.01;    // less is said in seconds

// As the subject of "mostly by ...".
std::string_view reason(LimitLane lane) {
  switch (lane) {
    case LimitLane::power: return "power";
    case LimitLane::thermal: return "heat";
    case LimitLane::reliability_voltage: return "reliability voltage";
    case LimitLane::operating_voltage: return "operating voltage";
    default: return "SLI";
  }
}

std::string label(LimitLane lane) {
  return std::string(lane == LimitLane::thermal ? "thermal" : reason(lane));
}

struct Reasons {
  const LimitLaneStatistics* largest = nullptr;
  std::size_t count = 0;
  std::string evidence;  // each with its time
  Timestamp last;
};

Reasons reasons_of(const LimitStatistics& limits) {
  Reasons reasons;
  for (const LimitLaneStatistics& lane : limits.lanes) {
    if (!is_limit(lane.lane) || lane.duration.count() == 0) continue;
    ++reasons.count;
    if (reasons.largest == nullptr || lane.duration > reasons.largest->duration) {
      reasons.largest = &lane;
    }
    if (!reasons.evidence.empty()) reasons.evidence += ", ";
    reasons.evidence += label(lane.lane) + " " + say_duration(lane.duration);
    for (const TimeRange& span : lane.spans) reasons.last = std::max(reasons.last, span.to);
  }
  return reasons;
}

std::string say_share(double share) {
  if (share >= 1) return "all the time";
  if (share > 0.99) return "over 99 % of the time";
  return fmt::format("{} % of the time", std::lround(share * 100));
}

}  // namespace

void HeldBack::add(const TimedBlock& block) {
  const auto perfcap = block.values[perfcap_];
  const auto load = block.values[load_];
  if (perfcap.empty()) return;
  has_column_ = true;
  limits_.add(block, perfcap, load);
  for (std::size_t row = 0; row < perfcap.size(); ++row) {
    if (std::isnan(perfcap[row])) {
      ++absent_;
      continue;
    }
    ++readings_;
    values_.insert(std::llround(perfcap[row]));
    if (load.empty() || std::isnan(load[row])) continue;
    load_max_ = std::max(load_max_.value_or(load[row]), load[row]);
  }
}

Answer HeldBack::answer(const AnswerContext& context) && {
  Answer answer;
  answer.question = context.past ? "Was it held back?" : "Held back?";
  const auto limits = std::move(limits_).statistics();
  if (!limits || limits->duration.count() == 0) {
    answer.sentence = "This log cannot say";
    answer.evidence = context.rows == 0 ? "no row in this range"
                      : limits          ? "a single row says nothing of time"
                      : has_column_     ? "no reading in its PerfCap column"
                                        : "no PerfCap column in it";
    return answer;
  }
  const double seconds = std::chrono::duration<double>(limits->duration).count();
  const double limited = std::chrono::duration<double>(limits->limited).count();
  const double share = seconds > 0 ? limited / seconds : 0;
  const Reasons reasons = reasons_of(*limits);
  answer.facts = {{"share", share}, {"limited_seconds", limited}, {"seconds", seconds}};
  if (reasons.largest == nullptr) {
    answer.level = AnswerLevel::ok;
    answer.sentence = "No, not once in " + say_duration(limits->duration);
    answer.evidence = unlimited_evidence();
  } else {
    answer.level = AnswerLevel::limited;
    const std::string how_long = share < kShareSaid
                                     ? fmt::format("for {} in {}", say_duration(limits->limited),
                                                   say_duration(limits->duration))
                                     : say_share(share);
    answer.sentence = fmt::format("Yes, {}, {}by {}", how_long, reasons.count > 1 ? "mostly " : "",
                                  reason(reasons.largest->lane));
    answer.evidence = reasons.evidence + " · last " + context.say.at(reasons.last);
    answer.facts.push_back({"reason", std::string(to_string(reasons.largest->lane))});
    answer.facts.push_back({"reason_share", reasons.largest->share});
    answer.facts.push_back({"last_at", reasons.last});
  }
  const auto unsaid = context.duration - limits->duration;
  if (unsaid > std::chrono::minutes{1} && unsaid * 20 > context.duration) {
    answer.evidence += fmt::format(" · no PerfCap in {} of the range", say_duration(unsaid));
  }
  return answer;
}

std::string HeldBack::unlimited_evidence() const {
  const bool nothing = values_.contains(0);
  const bool utilisation = values_.contains(kPerfcapUtilisation);
  std::string out = fmt::format("PerfCap says {} in all {} rows{}",
                                nothing && utilisation ? "nothing or Util"
                                : utilisation          ? "Util"
                                                       : "nothing",
                                say_number(readings_), absent_ > 0 ? " that say" : "");
  if (load_max_.value_or(0) >= kFullLoad) {
    out += fmt::format(", also at {} % load", say_number(*load_max_, 0));
  }
  return out + ": nothing limits it";
}

}  // namespace gpulse
