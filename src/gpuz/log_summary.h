// What is in a log: the content of `gpulse inspect`.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gpuz/log_reader.h"
#include "telemetry/value_counts.h"

namespace gpulse {

// Collects over a whole log; memory follows its sessions and the values it has, not its length. Not
// thread-safe.
class LogSummary final : public LogReceiver {
 public:
  struct Session {
    std::int64_t session = 0;
    Timestamp first;
    Timestamp last;
    std::int64_t rows = 0;
    LayoutPtr layout;
  };
  struct Metric {
    ColumnName column;
    std::int64_t rows = 0;  // rows whose layout has it
    std::int64_t absent = 0;  // of those, without a reading
    int decimals = 0;
    ValueCounts values;
  };

  void on_rows(const SampleBatch& batch) override;
  void on_set_aside(const SetAside& line) override;

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] const std::string& source() const { return source_; }
  [[nodiscard]] const std::vector<Session>& sessions() const { return sessions_; }
  // In the order in which the log brought them.
  [[nodiscard]] const std::vector<Metric>& metrics() const { return metrics_; }
  [[nodiscard]] std::int64_t set_aside_count() const { return set_aside_count_; }
  // The first of them, at most kSetAsideKept.
  [[nodiscard]] const std::vector<SetAside>& set_aside() const { return set_aside_; }

  // A file that is no log may be millions of lines.
  static constexpr std::size_t kSetAsideKept = 10'000;

 private:
  void map_columns(const LayoutPtr& layout);

  std::int64_t rows_ = 0;
  std::string source_;
  std::vector<Session> sessions_;
  std::vector<Metric> metrics_;
  std::int64_t set_aside_count_ = 0;
  std::vector<SetAside> set_aside_;
  LayoutPtr layout_;  // that metric_of_column_ is for
  std::vector<std::size_t> metric_of_column_;
};

}  // namespace gpulse
