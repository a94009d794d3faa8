#include "gpuz/log_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "gpuz/log_summary.h"
#include "gpuz/test_reading.h"

namespace gpulse {
namespace {

using namespace std::string_literals;

class LogFile : public testing::Test {
 protected:
  ~LogFile() override {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  ReadFile file_of(std::string_view content) {
    std::ofstream(path_, std::ios::binary) << content;
    auto file = ReadFile::open(path_);
    EXPECT_TRUE(file);
    return std::move(*file);
  }
  std::string error_of(std::string_view content) {
    Collected found;
    LogReader reader(reader_options());
    const auto read = read_log_file(file_of(content), reader, found);
    return read ? "none" : read.error().message;
  }

  const std::filesystem::path path_ = std::filesystem::path(testing::TempDir()) /
                                      testing::UnitTest::GetInstance()->current_test_info()->name();
};

const std::string kLog = std::string(kHeading) + padded_row(0) + padded_row(1);

TEST_F(LogFile, IsReadFromWhereTheReaderStandsToItsEnd) {
  const ReadFile file = file_of(kLog);
  Collected found;
  LogReader first(reader_options());
  first.push(kLog.substr(0, kHeading.size() + 30), found);
  LogReader second(reader_options(), first.state());
  ASSERT_TRUE(read_log_file(file, second, found));
  EXPECT_EQ(found.rows.size(), 2U);
  EXPECT_EQ(second.state().position, static_cast<std::int64_t>(kLog.size()));
}

TEST_F(LogFile, ProgressMayStopIt) {
  Collected found;
  LogReader reader(reader_options());
  const std::string torn = kLog + padded_row(2).substr(0, 40);
  ASSERT_TRUE(read_log_file(file_of(torn), reader, found, [](std::int64_t) { return false; }));
  EXPECT_TRUE(found.set_aside.empty());  // not closed: more may come
}

TEST_F(LogFile, OfAnotherKindIsAnErrorThatSaysWhatItIs) {
  EXPECT_NE(error_of("").find("it is empty"), std::string::npos);
  EXPECT_NE(error_of("\xFF\xFE"
                     "D\0a\0t\0e\0"s)
                .find("UTF-16"),
            std::string::npos);
  EXPECT_NE(error_of("PK\x03\x04 zip\nmore").find("begins with \"PK zip\""), std::string::npos);
  EXPECT_NE(error_of("\x01\x02\x03\n").find("bytes that are no text"), std::string::npos);
  EXPECT_EQ(error_of(kLog), "none");
  EXPECT_EQ(error_of(kHeading), "none");
}

TEST_F(LogFile, IsIdentifiedByItsContent) {
  const std::string source = read_log(kLog).rows[0].source;
  EXPECT_EQ(identify_log(file_of(kLog))->source, source);
  EXPECT_EQ(identify_log(file_of(std::string(40'000, '\0') + kLog))->source, source);
  const auto heading = identify_log(file_of(kHeading));
  EXPECT_FALSE(heading->source);
  EXPECT_TRUE(heading->has_header);
  const auto other = identify_log(file_of("something\nelse\n"));
  EXPECT_FALSE(other->source);
  EXPECT_FALSE(other->has_header);
  EXPECT_EQ(first_words(other->start), "something");
}

TEST_F(LogFile, HashTellsOtherBytesBeforeThePlace) {
  const auto place = static_cast<std::int64_t>(kLog.size());
  const auto hash = *hash_before(file_of(kLog), place);
  EXPECT_EQ(*hash_before(file_of(kLog + padded_row(2)), place), hash);
  std::string other = kLog;
  ++other[other.size() - 10];
  EXPECT_NE(*hash_before(file_of(other), place), hash);
  EXPECT_NE(*hash_before(file_of(kLog.substr(0, kLog.size() - 1)), place), hash);
}

LogSummary summary_of(std::string_view log) {
  LogSummary summary;
  LogReader reader(reader_options());
  reader.push(log, summary);
  reader.close(summary);
  return summary;
}

TEST(LogSummary, CountsAcrossLayouts) {
  const LogSummary summary =
      summary_of(kLog + padded_row(2, "-", "64.25") + "Date , GPU Temperature [C] , New [x] ,\n" +
                 "2023-06-16 00:00:09 , 70 , 1 ,\n");
  EXPECT_EQ(summary.rows(), 4);
  ASSERT_EQ(summary.sessions().size(), 2U);
  EXPECT_EQ(summary.sessions()[0].rows, 3);
  EXPECT_EQ(summary.sessions()[1].layout->columns.size(), 2U);
  ASSERT_EQ(summary.metrics().size(), 4U);
  const auto& clock = summary.metrics()[0];
  EXPECT_EQ(clock.rows, 3);
  EXPECT_EQ(clock.absent, 1);
  const auto& temperature = summary.metrics()[1];
  EXPECT_EQ(temperature.rows, 4);
  EXPECT_EQ(temperature.decimals, 2);
  EXPECT_EQ(temperature.values.summary().max, 70);
  EXPECT_EQ(summary.metrics()[3].column, (ColumnName{"new", "x"}));
}

TEST(LogSummary, OfAFileThatIsNoLogStaysSmall) {
  std::string junk;
  for (int i = 0; i < 50'000; ++i) junk += "x\n";
  const LogSummary summary = summary_of(junk);
  EXPECT_EQ(summary.set_aside_count(), 50'000);
  EXPECT_EQ(summary.set_aside().size(), LogSummary::kSetAsideKept);
}

}  // namespace
}  // namespace gpulse
