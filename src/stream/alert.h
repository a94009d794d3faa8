// Alert rules: a metric over its limit for a while is one event with a beginning and an end.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/error.h"
#include "telemetry/sample_batch.h"

namespace gpulse {

class StateReader;

enum class Severity { info, warning, critical };
[[nodiscard]] std::string_view to_string(Severity severity);
[[nodiscard]] std::optional<Severity> parse_severity(std::string_view text);

// Fires when the metric was beyond `limit` for at least `hold` without a reading in between that
// was not; ends at the first reading beyond `release` on the good side. release <= limit: a rule
// for too much (value > limit fires, value < release ends); release > limit: for too little,
// mirrored.
struct AlertRule {
  std::string metric;
  double limit = 0;    // both in the metric's own unit
  double release = 0;
  std::chrono::seconds hold{0};
  Severity severity = Severity::warning;

  [[nodiscard]] bool above() const { return release <= limit; }
  [[nodiscard]] bool beyond(double value) const { return above() ? value > limit : value < limit; }
  [[nodiscard]] bool released(double value) const {
    return above() ? value < release : value > release;
  }
  // "gpu_temperature > 85": names the rule in tables, keys and messages.
  [[nodiscard]] std::string name() const;
};

// The design's seven default rules, hottest first within severity.
[[nodiscard]] std::span<const AlertRule> default_alert_rules();

enum class AlertEnd { released, session_ended };
[[nodiscard]] std::string_view to_string(AlertEnd end);

// Identified by (device, source, session, rule, began).
struct Alert {
  Device device;
  std::string source;
  std::int64_t session = 0;
  AlertRule rule;
  Timestamp began;   // the first reading beyond the limit, not the end of the hold
  std::optional<Timestamp> ended;  // the releasing reading, or the session's last row
  std::optional<AlertEnd> end_reason;
  double peak = 0;   // the largest (for "too little" the smallest) reading while it held
  Timestamp peak_at;
};

// The alerts of one source. Not thread-safe. Independent of how rows are cut into batches.
class AlertEvaluator {
 public:
  explicit AlertEvaluator(std::vector<AlertRule> rules);

  // Takes the next rows in file order. Appends every alert that began, ended, or whose peak moved,
  // in its new state; the same key again replaces. One that began or ended is appended for that; a
  // peak that only moved, once a push. Absent readings neither start nor end anything. Rows of
  // another session end the alerts of the one before, at its last row.
  void push(const SampleBatch& batch, std::vector<Alert>& out);
  // The session or the source has ended.
  void flush(std::vector<Alert>& out);
  // Appends the alerts that are firing, as they stand.
  void firing(std::vector<Alert>& out) const;

  [[nodiscard]] std::string save() const;
  // Takes what save() gave, under the same rules or others: a rule that is gone ends its alert by
  // dropping it from the state, a new one starts idle. Malformed: an input error, state empty.
  [[nodiscard]] Expected<void> restore(std::string_view state);

 private:
  // At most one of pending (beyond the limit, not yet for long enough) and firing.
  struct RuleState {
    bool pending = false;
    bool firing = false;
    Timestamp since;
    double peak = 0;
    Timestamp peak_at;
  };

  void push_column(std::size_t rule, const ReadingColumn& column, std::span<const Timestamp> times,
                   std::vector<Alert>& out);
  // Starts the state or moves its peak; whether it did either.
  static bool take_reading(const AlertRule& rule, RuleState& state, double value, Timestamp time);
  [[nodiscard]] Alert alert(std::size_t rule) const;
  [[nodiscard]] Alert ended(std::size_t rule, Timestamp time, AlertEnd reason) const;
  void load_session(StateReader& reader);

  std::vector<AlertRule> rules_;
  std::vector<RuleState> states_;
  Device device_;
  std::string source_;
  std::int64_t session_ = -1;  // -1: none runs
  Timestamp last_row_;
};

}  // namespace gpulse
