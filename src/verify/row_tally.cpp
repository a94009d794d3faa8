#include "verify/row_tally.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "verify/source_choice.h"

namespace gpulse {
namespace {

using namespace std::chrono_literals;

// What was written within it may still be on its way.
constexpr auto kUnderWay = 60s;

constexpr std::array<std::string_view, kFaults> kFaultNames{"missing", "different", "doubled",
                                                            "foreign"};

Finding one_row(Fault fault, std::int64_t offset, Timestamp time, std::string what = {}) {
  Finding finding;
  finding.fault = fault;
  finding.offset = finding.last_offset = offset;
  finding.time = time;
  finding.what = std::move(what);
  return finding;
}

}  // namespace

std::string_view to_string(Fault fault) { return kFaultNames[static_cast<std::size_t>(fault)]; }

RowTally::RowTally(const LogUnderTest& log, std::string source) : log_(log) {
  if (!is_replay(source)) shift_ = std::chrono::microseconds{0};
  report_.source = std::move(source);
  report_.rows = log.survey.rows;
  seen_.resize(static_cast<std::size_t>(log.survey.rows));
}

void RowTally::add(Finding finding) {
  const auto same = [&](const Finding& other) { return other.fault == finding.fault; };
  if (std::ranges::count_if(report_.findings, same) <
      static_cast<std::ptrdiff_t>(SourceReport::kFindingsMax)) {
    report_.findings.push_back(std::move(finding));
  }
}

void RowTally::add(Fault fault, std::int64_t offset, Timestamp time, std::string what) {
  add(one_row(fault, offset, time, std::move(what)));
}

void RowTally::found(std::int64_t number, const SampleBatch& batch, std::size_t row,
                     const PlaceRow& there) {
  auto seen = seen_[static_cast<std::size_t>(number)];
  if (seen) {
    ++report_.doubled;
    return add(Fault::doubled, there.offset, there.time);
  }
  seen = true;
  ++report_.found;
  if (!shift_) shift_ = there.time - batch.times[row];
  auto differs = first_difference(batch, row, *shift_, there);
  if (!differs) return;
  ++report_.different;
  take_later(differs->later);
  add(Fault::different, there.offset, batch.times[row], std::move(differs->what));
}

void RowTally::take_later(std::chrono::microseconds later) {
  if (later == 0us) return;
  later_alike_ = later_alike_ && (later_rows_ == 0 || later == later_);
  later_ = later;
  ++later_rows_;
}

void RowTally::foreign(std::int64_t offset, Timestamp time) {
  if (offset >= log_.survey.bytes) {
    ++beyond_rows_;
    if (beyond_.size() < SourceReport::kFindingsMax) {
      beyond_.push_back(one_row(Fault::foreign, offset, time, "the log is not that long"));
    }
  } else if (offset >= log_.survey.end) {
    ++report_.newer;  // the last line, which had no end yet
  } else {
    ++report_.foreign;
    add(Fault::foreign, offset, time);
  }
}

void RowTally::dropped(std::int64_t offset) {
  // Beyond the cap nobody asks whether it is the only one: a log that was sent twice from its start
  // need not be kept in memory for that.
  if (strays_.size() < kStraysMax) {
    strays_.push_back({offset, Stray::Kind::dropped, {}});
  } else {
    ++report_.sent_twice;
  }
}

void RowTally::resent(std::int64_t offset) {
  if (strays_.size() < kStraysMax) {
    strays_.push_back({offset, Stray::Kind::resent, {}});
  } else {
    ++report_.resent;
  }
}

Expected<void> RowTally::misplaced(std::int64_t offset, Timestamp time) {
  if (strays_.size() >= kStraysMax) {
    return operation_error(
        fmt::format("more than {} rows of source {} are out of their order: this is no copy of the "
                    "log",
                    kStraysMax, report_.source));
  }
  strays_.push_back({offset, Stray::Kind::misplaced, time});
  return {};
}

Expected<SourceReport> RowTally::settle(const Judging& judging) {
  const auto bytes = log_.file->size();
  if (!bytes) return std::unexpected(bytes.error());
  const bool nothing = report_.found == 0;
  if (report_.found < report_.rows || !strays_.empty()) {
    if (auto walked = walk(judging); !walked) return std::unexpected(walked.error());
    end_of_log(nothing);
  }
  judge_beyond(*bytes);
  note_times();
  std::ranges::stable_sort(report_.findings, {}, &Finding::fault);
  return std::move(report_);
}

Expected<void> RowTally::walk(const Judging& judging) {
  std::ranges::sort(strays_, {},
                    [](const Stray& stray) { return std::pair(stray.offset, stray.kind); });
  auto session = log_.survey.sessions.begin();
  std::int64_t in_session = 0;
  LogRows rows(log_);
  for (;;) {
    const auto batch = rows.next();
    if (!batch) return std::unexpected(batch.error());
    if (*batch == nullptr) break;
    if (session->session != (*batch)->session) {
      ++session;
      in_session = 0;
    }
    if (in_session == 0 && judging.taken_from) taken_ = judging.taken_from(*session);
    for (std::size_t row = 0; row < (*batch)->rows(); ++row) {
      judge_row(rows.rows_before() + static_cast<std::int64_t>(row), **batch, row, in_session++,
                judging);
    }
  }
  for (; next_stray_ < strays_.size(); ++next_stray_) judge_stray_of_no_row(strays_[next_stray_]);
  return {};
}

void RowTally::judge_row(std::int64_t number, const SampleBatch& batch, std::size_t row,
                         std::int64_t in_session, const Judging& judging) {
  const std::int64_t offset = batch.offsets[row];
  const bool late = judge_strays(number, batch.times[row], offset);
  if (seen_[static_cast<std::size_t>(number)]) {
    end_run();
    head_ = false;
  } else if (in_session < taken_ || (head_ && judging.head_may_be_gone && !late)) {
    ++report_.not_kept;
  } else if (judging.kept_from && batch.times[row] + shift() < *judging.kept_from) {
    end_run();
    ++report_.too_old;
  } else {
    miss(offset, batch.times[row], late, judging);
  }
}

// Whether the row is there only where readers drop it.
bool RowTally::judge_strays(std::int64_t number, Timestamp time, std::int64_t offset) {
  while (next_stray_ < strays_.size() && strays_[next_stray_].offset < offset) {
    judge_stray_of_no_row(strays_[next_stray_++]);
  }
  bool late = false;
  auto seen = seen_[static_cast<std::size_t>(number)];
  for (; next_stray_ < strays_.size() && strays_[next_stray_].offset == offset; ++next_stray_) {
    const Stray& stray = strays_[next_stray_];
    const Timestamp expected = time + shift();
    if (stray.kind == Stray::Kind::dropped) {
      // Where the row is nowhere else, the first of them is all there is of it.
      report_.sent_twice += seen || late ? 1 : 0;
      late = late || !seen;
    } else if (stray.kind == Stray::Kind::resent) {
      ++report_.resent;
      report_.found += seen ? 0 : 1;
      seen = true;
    } else if (!seen) {
      seen = true;
      ++report_.found;
      ++report_.different;
      take_later(stray.time - expected);
      add(Fault::different, offset, time,
          fmt::format("its time is {} there, {} in the log", to_rfc3339(stray.time),
                      to_rfc3339(expected)));
    } else if (stray.time != expected) {
      ++report_.doubled;
      add(Fault::doubled, offset, time, fmt::format("once more at {}", to_rfc3339(stray.time)));
    }
    // Else it is the row itself, met again in another stretch of time.
  }
  return late && !seen;
}

void RowTally::judge_stray_of_no_row(const Stray& stray) {
  switch (stray.kind) {
    case Stray::Kind::dropped: ++report_.sent_twice; return;
    case Stray::Kind::resent: ++report_.resent; return;
    case Stray::Kind::misplaced: foreign(stray.offset, stray.time); return;
  }
}

void RowTally::miss(std::int64_t offset, Timestamp time, bool late, const Judging& judging) {
  const std::string_view what =
      late ? "it stands there only behind later rows, where every reader drops it" : "";
  if (run_ && run_->finding.what != what) end_run();
  if (!run_) {
    run_ = Run{one_row(Fault::missing, offset, time, std::string(what)), 0};
    run_->finding.rows = 0;
  }
  ++run_->finding.rows;
  run_->finding.last_offset = offset;
  if (!late && judging.now - time < kUnderWay && time - judging.now < kUnderWay) ++run_->recent;
}

void RowTally::end_run() {
  if (!run_) return;
  report_.missing += run_->finding.rows;
  add(std::move(run_->finding));
  run_.reset();
}

// The run at the log's end is of rows that may yet come.
void RowTally::end_of_log(bool nothing_found) {
  if (!run_) return;
  Finding& last = run_->finding;
  if (is_replay(report_.source) && last.what.empty()) {
    report_.not_played += std::exchange(last.rows, 0);
  } else {
    report_.under_way += run_->recent;
    last.rows -= run_->recent;
  }
  if (last.rows == 0) return run_.reset();
  if (nothing_found) {
    report_.notes.emplace_back("no row of this log is there");
  } else if (last.what.empty()) {
    report_.notes.push_back(fmt::format(
        "the last {} rows of the log, from byte {} on, are not there: whatever brings them has not "
        "come so far, or does not run",
        last.rows, last.offset));
  }
  end_run();
}

void RowTally::judge_beyond(std::int64_t bytes_now) {
  if (bytes_now > log_.survey.bytes) {
    report_.newer += beyond_rows_;
    return;
  }
  report_.foreign += beyond_rows_;
  for (Finding& finding : beyond_) add(std::move(finding));
}

void RowTally::note_times() {
  if (later_rows_ < 2 || !later_alike_ || later_ % 15min != 0us) return;
  const auto minutes = std::chrono::floor<std::chrono::minutes>(std::chrono::abs(later_)).count();
  report_.notes.push_back(
      fmt::format("the time of {} rows is {} h {:02} min {} there: it seems to have been read in "
                  "another zone; --timezone says in which",
                  later_rows_, minutes / 60, minutes % 60, later_ > 0us ? "later" : "earlier"));
}

}  // namespace gpulse
