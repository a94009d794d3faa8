// A log read again, up to where it was when that began.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gpuz/log_reader.h"
#include "platform/file.h"

namespace gpulse {

// What a first pass over a log finds. Its size follows the log's sessions, not its rows.
struct LogSurvey {
  struct Session {
    std::int64_t session = 0;
    std::int64_t rows = 0;
  };

  std::string source;          // by content, without a suffix
  std::int64_t bytes = 0;      // of the file at that time
  std::int64_t end = 0;        // behind the last whole line: what is there later is newer
  std::int64_t rows = 0;       // before `end`
  std::int64_t set_aside = 0;  // lines that are no rows
  std::vector<Session> sessions;
};

// Whose rows they are, and how they are read.
struct LogUnderTest {
  std::shared_ptr<const ReadFile> file;
  Device device;
  std::shared_ptr<const TimeZone> zone;
  LogSurvey survey;
};

// Reads the whole log. An input error when there is no row of a GPU-Z log in it.
[[nodiscard]] Expected<LogUnderTest> survey_log(const std::filesystem::path& file, Device device,
                                                std::shared_ptr<const TimeZone> zone);

// The rows of a surveyed log, in file order, in pieces. Any number at once over one log; it must
// outlive them. Holds one piece of the file at a time. Not thread-safe.
class LogRows {
 public:
  explicit LogRows(const LogUnderTest& log);

  // Some rows of one session and layout, valid until the next call; null behind the last.
  [[nodiscard]] Expected<const SampleBatch*> next();
  // How many rows were handed out before those of the last next().
  [[nodiscard]] std::int64_t rows_before() const { return before_; }

 private:
  const LogUnderTest* log_;
  std::unique_ptr<LogReader> reader_;  // gone behind the last row
  std::int64_t at_ = 0;
  std::deque<SampleBatch> batches_;  // the first is the one that was handed out
  bool handed_out_ = false;
  std::int64_t before_ = 0;
  std::vector<char> buffer_;
};

// The line in which each of the bytes lies, counted from 1; `offsets` ascending.
[[nodiscard]] Expected<std::vector<std::int64_t>> line_numbers(
    const ReadFile& file, std::span<const std::int64_t> offsets);

}  // namespace gpulse
