// A small log in a file, and its rows as a place would hold them: for tests of this module only.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "verify/row_merge.h"

namespace gpulse::verify_test {

using namespace std::chrono_literals;

inline constexpr std::string_view kHeading = "Date , GPU Temperature [C] , GPU Load [%] ,\r\n";

// Two readings; every third row lacks the second.
inline std::string row_text(int second) {
  return fmt::format("2026-03-01 10:{:02}:{:02} , {:.1f} , {} ,\r\n", second / 60, second % 60,
                     40 + second * 0.1, second % 3 == 0 ? "-" : std::to_string(second));
}

inline std::string log_text(int rows) {
  std::string text(kHeading);
  for (int second = 0; second < rows; ++second) text += row_text(second);
  return text;
}

class LogInFile {
 public:
  explicit LogInFile(std::string_view text) {
    std::random_device random;
    path_ = std::filesystem::path(testing::TempDir()) / fmt::format("gpulse-verify-{}", random());
    append(text);
    auto surveyed = survey_log(path_, {"rig", "gpu0"}, *TimeZone::find("UTC"));
    EXPECT_TRUE(surveyed) << surveyed.error().message;
    log_ = std::move(*surveyed);
  }
  ~LogInFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  LogInFile(const LogInFile&) = delete;
  LogInFile& operator=(const LogInFile&) = delete;

  void append(std::string_view text) {
    std::ofstream(path_, std::ios::binary | std::ios::app) << text;
  }
  [[nodiscard]] const LogUnderTest& log() const { return log_; }

 private:
  std::filesystem::path path_;
  LogUnderTest log_;
};

// A row that owns what it holds.
struct KeptRow {
  std::int64_t offset = 0;
  Timestamp time;
  std::int64_t session = 0;
  std::vector<PlaceReading> readings;  // names are the layout's

  [[nodiscard]] PlaceRow view() const { return {offset, time, session, readings}; }
};

// What a place holds when all is well.
inline std::vector<KeptRow> rows_of(const LogUnderTest& log) {
  static std::vector<LayoutPtr> layouts;  // keeps the names
  std::vector<KeptRow> kept;
  LogRows rows(log);
  for (;;) {
    const auto batch = rows.next();
    EXPECT_TRUE(batch);
    if (!batch || *batch == nullptr) return kept;
    layouts.push_back((*batch)->layout);
    for (std::size_t row = 0; row < (*batch)->rows(); ++row) {
      KeptRow& one = kept.emplace_back();
      one = {(*batch)->offsets[row], (*batch)->times[row], (*batch)->session, {}};
      for (std::size_t i = 0; i < (*batch)->columns.size(); ++i) {
        const ReadingColumn& column = (*batch)->columns[i];
        one.readings.push_back(
            {layouts.back()->columns[i].metric,
             column.present(row) ? std::optional(column.value(row)) : std::nullopt});
      }
    }
  }
}

}  // namespace gpulse::verify_test
