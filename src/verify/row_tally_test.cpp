// What is said of places that hold a log well or badly.
#include "verify/row_tally.h"

#include <gtest/gtest.h>

#include "verify/test_log.h"

namespace gpulse {
namespace {

using namespace verify_test;

constexpr int kRows = 9000;  // more than a cursor holds at once

class RowTallyTest : public ::testing::Test {
 protected:
  RowTallyTest() : kept_(rows_of(file_.log())) {
    judging_.now = kept_.back().time + std::chrono::days{300};
  }

  // As a topic: what is behind the mark is dropped. Else as a place that has no mark.
  SourceReport compare(bool drops, const std::string& suffix = {}) {
    RowTally tally(file_.log(), file_.log().survey.source + suffix);
    RowMerge merge(tally);
    for (const KeptRow& row : kept_) {
      const auto taken = merge.take(row.view());
      EXPECT_TRUE(taken);
      if (*taken) continue;
      if (drops) {
        tally.dropped(row.offset);
      } else {
        EXPECT_TRUE(tally.misplaced(row.offset, row.time));
      }
    }
    auto report = tally.settle(judging_);
    EXPECT_TRUE(report);
    return std::move(*report);
  }

  void remove(std::size_t from, std::size_t until) {
    kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(from),
                kept_.begin() + static_cast<std::ptrdiff_t>(until));
  }

  LogInFile file_{log_text(kRows / 3) + log_text(kRows / 3) + log_text(kRows / 3)};
  std::vector<KeptRow> kept_;
  Judging judging_;
};

TEST_F(RowTallyTest, AllIsWell) {
  const SourceReport report = compare(true);
  EXPECT_EQ(report.rows, kRows);
  EXPECT_EQ(report.found, kRows);
  EXPECT_EQ(report.faults(), 0);
  EXPECT_TRUE(report.findings.empty());
  EXPECT_TRUE(report.notes.empty());
}

TEST_F(RowTallyTest, RowsThatAreMissingAreOneRun) {
  const auto first = kept_[5000].offset;
  const auto last = kept_[5099].offset;
  const auto other = kept_[7000].offset;
  remove(7000, 7001);
  remove(5000, 5100);
  const SourceReport report = compare(true);
  EXPECT_EQ(report.missing, 101);
  EXPECT_EQ(report.found, kRows - 101);
  ASSERT_EQ(report.findings.size(), 2U);
  EXPECT_EQ(report.findings[0].offset, first);
  EXPECT_EQ(report.findings[0].last_offset, last);
  EXPECT_EQ(report.findings[0].rows, 100);
  EXPECT_EQ(report.findings[1].offset, other);
  EXPECT_EQ(report.findings[1].rows, 1);
}

TEST_F(RowTallyTest, TheLastRowsAreMissing) {
  remove(8900, kRows);
  const SourceReport report = compare(true);
  EXPECT_EQ(report.missing, 100);
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_NE(report.notes[0].find("the last 100 rows"), std::string::npos);
}

TEST_F(RowTallyTest, TheRowsOfTheLastMinuteAreUnderWay) {
  judging_.now = kept_.back().time + 10s;
  remove(8900, kRows);
  const SourceReport report = compare(true);
  EXPECT_EQ(report.under_way, 50);  // the second now - 60 s itself is not
  EXPECT_EQ(report.missing, 50);
}

TEST_F(RowTallyTest, ARowOfTheLastMinuteWithLaterOnesBehindItIsMissing) {
  judging_.now = kept_.back().time + 10s;
  remove(8990, 8991);
  const SourceReport report = compare(true);
  EXPECT_EQ(report.under_way, 0);
  EXPECT_EQ(report.missing, 1);
}

TEST_F(RowTallyTest, NothingIsThere) {
  kept_.clear();
  const SourceReport report = compare(true);
  EXPECT_EQ(report.missing, kRows);
  EXPECT_EQ(report.notes, std::vector<std::string>{"no row of this log is there"});
}

TEST_F(RowTallyTest, DoublesThatReadersDropAreNoFault) {
  kept_.insert(kept_.begin() + 5000, kept_.begin() + 4000, kept_.begin() + 5000);
  const SourceReport report = compare(true);
  EXPECT_EQ(report.faults(), 0);
  EXPECT_EQ(report.sent_twice, 1000);
}

TEST_F(RowTallyTest, ARowThatOnlyStandsBehindLaterOnesIsMissing) {
  const KeptRow late = kept_[4000];
  remove(4000, 4001);
  kept_.insert(kept_.begin() + 4500, late);
  kept_.insert(kept_.begin() + 4600, late);
  const SourceReport report = compare(true);
  EXPECT_EQ(report.missing, 1);
  EXPECT_EQ(report.sent_twice, 1);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].offset, late.offset);
  EXPECT_NE(report.findings[0].what.find("only behind later rows"), std::string::npos);
}

TEST_F(RowTallyTest, DoublesWhereNobodyDropsThem) {
  KeptRow again = kept_[4000];
  again.time += 1s;
  kept_.insert(kept_.begin() + 4500, again);
  const SourceReport report = compare(false);
  EXPECT_EQ(report.doubled, 1);
  EXPECT_EQ(report.found, kRows);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].fault, Fault::doubled);
  EXPECT_EQ(report.findings[0].offset, again.offset);
}

TEST_F(RowTallyTest, ARowInTwoPartitionsIsDoubled) {
  RowTally tally(file_.log(), file_.log().survey.source);
  for (int partition = 0; partition < 2; ++partition) {
    RowMerge merge(tally);
    for (std::size_t row = 0; row < (partition == 0 ? kept_.size() : 3); ++row) {
      ASSERT_TRUE(merge.take(kept_[row].view()).value());
    }
  }
  const auto report = tally.settle(judging_);
  EXPECT_EQ(report->doubled, 3);
  EXPECT_EQ(report->found, kRows);
}

TEST_F(RowTallyTest, ARowThatStandsAtAnotherTimeIsDifferent) {
  KeptRow moved = kept_[4000];
  remove(4000, 4001);
  moved.time += 600s;
  kept_.insert(kept_.begin() + 4599, moved);
  const SourceReport report = compare(false);
  EXPECT_EQ(report.different, 1);
  EXPECT_EQ(report.faults(), 1);
  EXPECT_EQ(report.found, kRows);
}

TEST_F(RowTallyTest, AReadingDiffers) {
  *kept_[4000].readings[0].value += 1;
  const SourceReport report = compare(true);
  EXPECT_EQ(report.different, 1);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].what, "gpu_temperature is 141 there, 140.0 in the log");
}

TEST_F(RowTallyTest, AnotherZoneIsRecognised) {
  for (KeptRow& row : kept_) row.time -= 2h;
  const SourceReport report = compare(true);
  EXPECT_EQ(report.different, kRows);
  EXPECT_EQ(report.findings.size(), SourceReport::kFindingsMax);
  ASSERT_EQ(report.notes.size(), 1U);
  EXPECT_NE(report.notes[0].find("2 h 00 min earlier"), std::string::npos);
}

TEST_F(RowTallyTest, RowsThatTheLogDoesNotHave) {
  KeptRow foreign = kept_[4000];
  foreign.offset += 1;
  kept_.insert(kept_.begin() + 4001, foreign);
  KeptRow beyond = kept_.back();
  beyond.offset = file_.log().survey.bytes + 1000;
  kept_.push_back(beyond);
  const SourceReport report = compare(true);
  EXPECT_EQ(report.foreign, 2);
  EXPECT_EQ(report.found, kRows);
  ASSERT_EQ(report.findings.size(), 2U);
  EXPECT_EQ(report.findings[1].what, "the log is not that long");
}

TEST_F(RowTallyTest, WhatIsWrittenMeanwhileIsNewer) {
  KeptRow beyond = kept_.back();
  beyond.offset = file_.log().survey.bytes;
  kept_.push_back(beyond);
  file_.append(row_text(0));
  const SourceReport report = compare(true);
  EXPECT_EQ(report.newer, 1);
  EXPECT_EQ(report.faults(), 0);
}

TEST_F(RowTallyTest, RetentionTookTheHead) {
  remove(0, 4000);
  judging_.head_may_be_gone = true;
  const SourceReport report = compare(true);
  EXPECT_EQ(report.not_kept, 4000);
  EXPECT_EQ(report.faults(), 0);
}

TEST_F(RowTallyTest, WhatIsOlderThanThePlaceKeepsNeedNotBeThere) {
  judging_.kept_from = kept_[100].time;
  remove(50, 102);
  const SourceReport report = compare(true);
  EXPECT_EQ(report.found, kRows - 52);
  EXPECT_EQ(report.too_old, 50);
  EXPECT_EQ(report.missing, 2);
}

TEST_F(RowTallyTest, RetentionTookTheFirstRowsOfASession) {
  const std::int64_t second = file_.log().survey.sessions.at(1).session;
  remove(3000, 3010);
  judging_.taken_from = [&](const LogSurvey::Session& session) {
    return session.session == second ? 9 : 0;
  };
  const SourceReport report = compare(false);
  EXPECT_EQ(report.not_kept, 9);
  EXPECT_EQ(report.missing, 1);
}

TEST_F(RowTallyTest, AReplayIsShiftedAndMayEndEarly) {
  for (KeptRow& row : kept_) row.time += 1234567us;
  remove(8000, kRows);
  remove(10, 11);
  const SourceReport report = compare(true, "@20261124T090000.000Z");
  EXPECT_EQ(report.different, 0);
  EXPECT_EQ(report.not_played, 1000);
  EXPECT_EQ(report.missing, 1);
}

TEST_F(RowTallyTest, WhatWasSentAgainFromTheDeadLettersCounts) {
  const std::int64_t gap = kept_[4000].offset;
  remove(4000, 4001);
  RowTally tally(file_.log(), file_.log().survey.source);
  RowMerge merge(tally);
  for (const KeptRow& row : kept_) ASSERT_TRUE(merge.take(row.view()).value());
  tally.resent(gap);
  tally.resent(kept_[0].offset);
  const auto report = tally.settle(judging_);
  EXPECT_EQ(report->faults(), 0);
  EXPECT_EQ(report->resent, 2);
  EXPECT_EQ(report->found, kRows);
}

TEST(LogRows, AreThoseOfWholeLines) {
  const std::string torn = row_text(7).substr(0, 20);
  const LogInFile file(log_text(5) + torn);
  EXPECT_EQ(file.log().survey.rows, 5);
  EXPECT_EQ(file.log().survey.end, static_cast<std::int64_t>(log_text(5).size()));
  EXPECT_EQ(rows_of(file.log()).size(), 5U);
}

TEST(LogRows, WithoutARowOrAHeadingThereIsNothingToVerify) {
  const auto refused = [](std::string_view text) {
    const auto path = std::filesystem::path(testing::TempDir()) / "gpulse-verify-refused";
    std::ofstream(path, std::ios::binary) << text;
    const auto surveyed = survey_log(path, {"rig", "gpu0"}, *TimeZone::find("UTC"));
    std::filesystem::remove(path);
    return surveyed ? "none" : surveyed.error().message;
  };
  EXPECT_NE(refused(kHeading).find("holds no row yet"), std::string::npos);
  EXPECT_NE(refused("Dear Sir,\r\n").find("Dear Sir"), std::string::npos);
}

TEST(LogRows, LinesAreCountedFromOne) {
  const LogInFile file(log_text(5));
  const auto rows = rows_of(file.log());
  const std::vector<std::int64_t> offsets{0, rows[0].offset, rows[4].offset};
  EXPECT_EQ(line_numbers(*file.log().file, offsets), (std::vector<std::int64_t>{1, 2, 6}));
}

}  // namespace
}  // namespace gpulse
