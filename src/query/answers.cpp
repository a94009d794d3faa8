#include "query/answers.h"

#include <algorithm>
#include <utility>

#include "query/answer_context.h"
#include "query/held_back.h"
#include "query/row_walk.h"
#include "query/too_hot.h"
#include "query/what_changed.h"

namespace gpulse {
namespace {

constexpr std::chrono::microseconds kFresh{10'000'000};
constexpr int kFreshSteps = 10;

// Counts the rows of the range, and finds out what "now" is.
class RowsSeen {
 public:
  void add(const TimedBlock& block) {
    rows_ += static_cast<std::int64_t>(block.times.size());
    for (const std::int64_t duration : block.durations) {
      duration_ += std::chrono::microseconds{duration};
    }
    if (block.times.back() < newest_) return;
    newest_ = block.times.back();
    fresh_ = std::max(kFresh, kFreshSteps * block.session->usual_step());
  }

  [[nodiscard]] AnswerContext context(const DeviceRecord& device,
                                      const AnswersRequest& request) const {
    const bool behind = rows_ > 0 && device.last - newest_ > fresh_;
    AnswerContext context{
        .range = request.range,
        .past = request.past || behind || device.state == DeviceState::ended,
        .stale = device.state == DeviceState::stale,
        .say = TimePhrases(request.range, request.zone),
        .rows = rows_,
        .duration = duration_,
        .newest = newest_,
        .fresh = fresh_,
    };
    return context;
  }

 private:
  std::int64_t rows_ = 0;
  std::chrono::microseconds duration_{0};
  Timestamp newest_ = Timestamp::min();
  std::chrono::microseconds fresh_ = kFresh;
};

}  // namespace

std::string_view to_string(AnswerLevel level) {
  switch (level) {
    case AnswerLevel::ok: return "ok";
    case AnswerLevel::near: return "near";
    case AnswerLevel::over: return "over";
    case AnswerLevel::was_over: return "was_over";
    case AnswerLevel::limited: return "limited";
    case AnswerLevel::unknown: break;
  }
  return "unknown";
}

Expected<Answers> answer_questions(const History& history, const DeviceRecord& device,
                                   const AnswersRequest& request) {
  if (request.range.from > request.range.to) return usage_error("'from' is after 'to'");
  ColumnList columns;
  RowsSeen rows;
  TooHot too_hot(device, request.rules, columns);
  HeldBack held_back(columns);
  WhatChanged what_changed(device, columns);
  auto walked =
      walk_rows(history, {device.device, request.range.from, request.range.to, columns.names()},
                [&](const TimedBlock& block) {
                  rows.add(block);
                  too_hot.add(block);
                  held_back.add(block);
                  what_changed.add(block);
                });
  if (!walked) return std::unexpected(std::move(walked).error().wrapped("cannot answer"));

  const AnswerContext context = rows.context(device, request);
  auto changed = std::move(what_changed).answer(history, context);
  if (!changed) return std::unexpected(std::move(changed).error().wrapped("cannot answer"));
  return Answers{device.device,
                 device.state,
                 request.range,
                 too_hot.answer(context),
                 std::move(held_back).answer(context),
                 *std::move(changed)};
}

}  // namespace gpulse
