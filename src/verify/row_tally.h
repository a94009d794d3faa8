// Which rows of a log a place holds under one source, and how: the judgement of `gpulse verify`.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "verify/log_rows.h"
#include "verify/row_difference.h"

namespace gpulse {

enum class Fault {
  missing,    // of the log, not there
  different,  // there, with another time or reading
  doubled,    // there more than once, in a way that readers do not notice
  foreign,    // there under the log's identity, and not in the log
};
inline constexpr std::size_t kFaults = 4;
[[nodiscard]] std::string_view to_string(Fault fault);

// One fault, or for missing rows a run of them.
struct Finding {
  Fault fault = Fault::missing;
  std::int64_t offset = 0;       // in the log
  std::int64_t rows = 1;
  std::int64_t last_offset = 0;  // of the run's last row
  Timestamp time;
  std::string what;  // beyond the fault's name; may be empty
  std::int64_t line = 0;         // in the log; 0: not looked up
};

struct SourceReport {
  static constexpr std::size_t kFindingsMax = 5;  // of each kind; all are counted

  std::string source;
  // Of the log: found + missing + not_kept + too_old + under_way + not_played.
  std::int64_t rows = 0;
  std::int64_t found = 0;
  std::int64_t missing = 0;
  std::int64_t different = 0;  // of those found
  std::int64_t doubled = 0;
  std::int64_t foreign = 0;
  // These are no faults.
  std::int64_t not_kept = 0;    // removed by the place's retention
  std::int64_t too_old = 0;     // the place keeps and takes no rows of their time
  std::int64_t under_way = 0;   // of the last minute, at the log's end
  std::int64_t not_played = 0;  // at the end of a replay: it has not come so far, or was stopped
  std::int64_t sent_twice = 0;  // records that every reader drops by their identity
  std::int64_t resent = 0;      // on purpose, from the dead letters
  std::int64_t newer = 0;       // written to the log since the comparison began
  std::vector<Finding> findings;
  std::vector<std::string> notes;

  [[nodiscard]] std::int64_t faults() const { return missing + different + doubled + foreign; }
};

// What a place knows of rows that are not there.
struct Judging {
  Timestamp now;
  std::optional<Timestamp>
      kept_from;  // a row that is older need not be there, whenever it was sent
  bool head_may_be_gone = false;  // retention takes the oldest rows, one after the other
  // How many of a session's first rows retention took; empty: none anywhere.
  std::function<std::int64_t(const LogSurvey::Session& session)> taken_from;
};

// Takes what a place holds, then settles. Memory: a bit a row of the log, and what is out of place,
// capped. Not thread-safe; the log must outlive it.
class RowTally {
 public:
  RowTally(const LogUnderTest& log, std::string source);

  // The place's `there` has the identity of row `row` of `batch`, number `number` of the log.
  void found(std::int64_t number, const SampleBatch& batch, std::size_t row, const PlaceRow& there);
  // Of no row that the log has, as far as it was surveyed.
  void foreign(std::int64_t offset, Timestamp time);
  // Behind a later row of its partition: every reader drops it.
  void dropped(std::int64_t offset);
  // The same, with the header that lets it past.
  void resent(std::int64_t offset);
  // Where no row of that offset belongs. An operation error when that is so of more than
  // kStraysMax.
  [[nodiscard]] Expected<void> misplaced(std::int64_t offset, Timestamp time);

  // Reads the log again if there is a fault to name. Once, when all has been taken.
  [[nodiscard]] Expected<SourceReport> settle(const Judging& judging);

  [[nodiscard]] const LogUnderTest& log() const { return log_; }
  // What a replay added to the log's times; the first row that is found tells, if nobody did.
  void set_shift(std::chrono::microseconds shift) { shift_ = shift; }
  [[nodiscard]] std::chrono::microseconds shift() const {
    return shift_.value_or(std::chrono::microseconds{0});
  }
  static constexpr std::size_t kStraysMax = 1'000'000;

 private:
  // What came out of order is judged at the end, by the log.
  struct Stray {
    enum class Kind : std::uint8_t { resent, misplaced, dropped };
    std::int64_t offset = 0;
    Kind kind = Kind::dropped;
    Timestamp time;
  };
  // Missing rows in succession.
  struct Run {
    Finding finding;
    std::int64_t recent = 0;  // of the last minute
  };

  void add(Finding finding);
  void add(Fault fault, std::int64_t offset, Timestamp time, std::string what = {});
  [[nodiscard]] Expected<void> walk(const Judging& judging);
  void judge_row(std::int64_t number, const SampleBatch& batch, std::size_t row,
                 std::int64_t in_session, const Judging& judging);
  bool judge_strays(std::int64_t number, Timestamp time, std::int64_t offset);
  void judge_stray_of_no_row(const Stray& stray);
  // How much later a row is there than in the log.
  void take_later(std::chrono::microseconds later);
  void miss(std::int64_t offset, Timestamp time, bool late, const Judging& judging);
  void end_run();
  void end_of_log(bool nothing_found);
  void note_times();
  void judge_beyond(std::int64_t bytes_now);

  const LogUnderTest& log_;
  SourceReport report_;
  std::vector<bool> seen_;  // by number
  std::optional<std::chrono::microseconds> shift_;  // of a replay; none: not known yet
  std::vector<Stray> strays_;
  std::size_t next_stray_ = 0;
  std::vector<Finding> beyond_;  // foreign ones behind the log's end, which may have grown
  std::int64_t beyond_rows_ = 0;
  std::optional<Run> run_;
  std::int64_t taken_ = 0;  // by retention, of the session that is being judged
  bool head_ = true;  // no row was there so far
  // Whether all times that differ do so by the same amount.
  std::chrono::microseconds later_{0};
  std::int64_t later_rows_ = 0;
  bool later_alike_ = true;
};

}  // namespace gpulse
