#include "stream/alert.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "stream/state_codec.h"

namespace gpulse {
namespace {

constexpr std::uint8_t kStateVersion = 1;
constexpr std::int64_t kNumberMax = std::numeric_limits<std::int64_t>::max();
constexpr std::array<std::string_view, 3> kSeverities{"info", "warning", "critical"};

// Rows whose extreme is looked at in one go before any is looked at alone.
constexpr std::size_t kBlockRows = 256;

// The largest (or smallest) value among rows [from, to), the zeros of absent readings included:
// good enough to rule out that any reading is beyond a limit, and one division a block instead of
// one a row.
double extreme_of(const ReadingColumn& column, bool largest, std::size_t from, std::size_t to) {
  return std::visit(
      [&](const auto& counts) {
        const auto first = counts.begin() + static_cast<std::ptrdiff_t>(from);
        const auto last = counts.begin() + static_cast<std::ptrdiff_t>(to);
        auto extreme = *first;
        for (auto at = first; at != last; ++at) {
          extreme = largest ? std::max(extreme, *at) : std::min(extreme, *at);
        }
        return static_cast<double>(extreme);
      },
      column.counts());
}

double scale_of(const ReadingColumn& column) {
  double scale = 1;
  for (int i = 0; !column.is_double() && i < column.decimals(); ++i) scale *= 10;
  return scale;
}

// The first row at or after `from` whose reading is beyond the rule's limit, else the column's
// size.
std::size_t first_beyond(const ReadingColumn& column, const AlertRule& rule, std::size_t from) {
  const double scale = scale_of(column);
  while (from < column.size()) {
    const std::size_t to = std::min(from + kBlockRows, column.size());
    if (rule.beyond(extreme_of(column, rule.above(), from, to) / scale)) {
      for (std::size_t row = from; row < to; ++row) {
        if (column.present(row) && rule.beyond(column.value(row))) return row;
      }
    }
    from = to;
  }
  return from;
}

const ReadingColumn* column_of(const SampleBatch& batch, std::string_view metric) {
  const auto& columns = batch.layout->columns;
  const auto at = std::ranges::find(columns, metric, &ColumnName::metric);
  return at == columns.end() ? nullptr
                             : &batch.columns[static_cast<std::size_t>(at - columns.begin())];
}

}  // namespace

std::string_view to_string(Severity severity) {
  return kSeverities[static_cast<std::size_t>(severity)];
}

std::optional<Severity> parse_severity(std::string_view text) {
  const auto at = std::ranges::find(kSeverities, text);
  if (at == kSeverities.end()) return std::nullopt;
  return static_cast<Severity>(at - kSeverities.begin());
}

std::string AlertRule::name() const {
  return fmt::format("{} {} {}", metric, above() ? '>' : '<', limit);
}

std::span<const AlertRule> default_alert_rules() {
  using std::chrono::seconds;
  static const std::array<AlertRule, 7> rules{{
      {"hot_spot_temperature", 100, 95, seconds{30}, Severity::critical},
      {"memory_temperature", 100, 95, seconds{30}, Severity::critical},
      {"hottest_memory_chip_temperature", 100, 95, seconds{30}, Severity::critical},
      {"gpu_temperature", 85, 82, seconds{10}, Severity::warning},
      {"cpu_temperature", 80, 78, seconds{10}, Severity::warning},
      {"board_power_draw", 300, 290, seconds{10}, Severity::warning},
      {"gpu_load", 95, 90, seconds{60}, Severity::info},
  }};
  return rules;
}

std::string_view to_string(AlertEnd end) {
  return end == AlertEnd::released ? "released" : "session ended";
}

AlertEvaluator::AlertEvaluator(std::vector<AlertRule> rules)
    : rules_(std::move(rules)), states_(rules_.size()) {}

void AlertEvaluator::push(const SampleBatch& batch, std::vector<Alert>& out) {
  if (batch.rows() == 0) return;
  if (session_ != batch.session || source_ != batch.source || device_ != batch.device) {
    flush(out);
    device_ = batch.device;
    source_ = batch.source;
    session_ = batch.session;
  }
  for (std::size_t rule = 0; rule < rules_.size(); ++rule) {
    const ReadingColumn* column = column_of(batch, rules_[rule].metric);
    if (column != nullptr) push_column(rule, *column, batch.times, out);
  }
  last_row_ = batch.times.back();
}

void AlertEvaluator::push_column(std::size_t rule_index, const ReadingColumn& column,
                                 std::span<const Timestamp> times, std::vector<Alert>& out) {
  const AlertRule& rule = rules_[rule_index];
  RuleState& state = states_[rule_index];
  bool peak_moved = false;
  for (std::size_t row = 0; row < times.size(); ++row) {
    if (!state.pending && !state.firing) row = first_beyond(column, rule, row);
    if (row == times.size()) break;
    if (!column.present(row)) continue;
    const double value = column.value(row);
    if (state.firing && rule.released(value)) {
      out.push_back(ended(rule_index, times[row], AlertEnd::released));
      state = {};
      peak_moved = false;
    } else if (!state.firing && !rule.beyond(value)) {
      state = {};
    } else {
      peak_moved = take_reading(rule, state, value, times[row]) || peak_moved;
      if (state.pending && times[row] - state.since >= rule.hold) {
        state.pending = false;
        state.firing = true;
        out.push_back(alert(rule_index));
        peak_moved = false;
      }
    }
  }
  if (state.firing && peak_moved) out.push_back(alert(rule_index));
}

bool AlertEvaluator::take_reading(const AlertRule& rule, RuleState& state, double value,
                                  Timestamp time) {
  const bool first = !state.pending && !state.firing;
  if (first) {
    state.pending = true;
    state.since = time;
  } else if (rule.above() ? value <= state.peak : value >= state.peak) {
    return false;
  }
  state.peak = value;
  state.peak_at = time;
  return true;
}

void AlertEvaluator::flush(std::vector<Alert>& out) {
  for (std::size_t rule = 0; rule < rules_.size(); ++rule) {
    if (states_[rule].firing) out.push_back(ended(rule, last_row_, AlertEnd::session_ended));
    states_[rule] = {};
  }
  session_ = -1;
}

void AlertEvaluator::firing(std::vector<Alert>& out) const {
  for (std::size_t rule = 0; rule < rules_.size(); ++rule) {
    if (states_[rule].firing) out.push_back(alert(rule));
  }
}

Alert AlertEvaluator::alert(std::size_t rule) const {
  const RuleState& state = states_[rule];
  return {.device = device_,
          .source = source_,
          .session = session_,
          .rule = rules_[rule],
          .began = state.since,
          .ended = std::nullopt,
          .end_reason = std::nullopt,
          .peak = state.peak,
          .peak_at = state.peak_at};
}

Alert AlertEvaluator::ended(std::size_t rule, Timestamp time, AlertEnd reason) const {
  Alert alert = this->alert(rule);
  alert.ended = time;
  alert.end_reason = reason;
  return alert;
}

std::string AlertEvaluator::save() const {
  StateWriter writer;
  writer.byte(kStateVersion);
  writer.byte(session_ >= 0 ? 1 : 0);
  if (session_ < 0) return writer.take();
  writer.text(device_.host);
  writer.text(device_.gpu);
  writer.text(source_);
  writer.number(session_);
  writer.number(to_microseconds(last_row_));
  const auto active = [](const RuleState& state) { return state.pending || state.firing; };
  writer.unsigned_number(static_cast<std::uint64_t>(std::ranges::count_if(states_, active)));
  for (std::size_t rule = 0; rule < rules_.size(); ++rule) {
    const RuleState& state = states_[rule];
    if (!active(state)) continue;
    writer.text(rules_[rule].name());
    writer.byte(state.firing ? 1 : 0);
    writer.number(to_microseconds(state.since));
    writer.number(to_microseconds(state.peak_at));
    writer.real(state.peak);
  }
  return writer.take();
}

Expected<void> AlertEvaluator::restore(std::string_view state) {
  session_ = -1;
  std::ranges::fill(states_, RuleState{});
  StateReader reader(state);
  if (reader.byte() != kStateVersion) {
    return input_error("the kept alerts are of no version that this program knows");
  }
  if (reader.unsigned_number(1) == 1) load_session(reader);
  if (reader.done()) return {};
  session_ = -1;
  std::ranges::fill(states_, RuleState{});
  return input_error("the kept alerts are damaged");
}

void AlertEvaluator::load_session(StateReader& reader) {
  // Half of what 64 bits hold, so that a difference of two of them cannot overflow.
  constexpr std::int64_t kTimeMax = kNumberMax / 2;
  const auto time = [&] { return from_microseconds(reader.number(-kTimeMax, kTimeMax)); };
  device_.host = reader.text();
  device_.gpu = reader.text();
  source_ = reader.text();
  session_ = reader.number(0, kNumberMax);
  last_row_ = time();
  const std::int64_t active = reader.unsigned_number(kNumberMax);
  for (std::int64_t i = 0; i < active && reader.good(); ++i) {
    const std::string_view name = reader.text();
    RuleState state;
    state.firing = reader.unsigned_number(1) == 1;
    state.pending = !state.firing;
    state.since = time();
    state.peak_at = time();
    state.peak = reader.real();
    reader.require(std::isfinite(state.peak));
    const auto at = std::ranges::find(rules_, name, &AlertRule::name);
    if (at != rules_.end()) states_[static_cast<std::size_t>(at - rules_.begin())] = state;
  }
}

}  // namespace gpulse
