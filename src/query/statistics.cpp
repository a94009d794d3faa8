#include "query/statistics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "query/limit_time.h"
#include "query/reading_counts.h"
#include "query/row_walk.h"
#include "query/rule_time.h"

namespace gpulse {
namespace {

using std::chrono::microseconds;

class MetricCollector {
 public:
  MetricCollector(const MetricRecord& metric, std::span<const AlertRule> rules)
      : counts_(metric.decimals) {
    statistics_.metric = metric;
    statistics_.kind = describe_metric(metric.name, metric.unit).kind;
    for (const AlertRule& rule : rules) {
      if (rule.metric == metric.name) rules_.emplace_back(rule);
    }
  }

  void add(const TimedBlock& block, std::span<const double> readings) {
    statistics_.rows += static_cast<std::int64_t>(readings.size());
    note_readings(block, readings);
    counts_.add(readings);
    for (RuleTime& rule : rules_) rule.add(block, readings);
    if (statistics_.kind == MetricKind::bitmask) note_values(block, readings);
  }

  [[nodiscard]] MetricStatistics finish() && {
    const auto summary = counts_.summary();
    statistics_.count = summary.count;
    statistics_.absent = statistics_.rows - summary.count;
    if (summary.count > 0) {
      statistics_.constant = statistics_.min->value == statistics_.max->value;
      statistics_.mean = summary.mean;
      statistics_.p95 = summary.p95;
    }
    for (const RuleTime& rule : rules_) statistics_.above.push_back(rule.statistics());
    for (const auto& [value, duration] : values_) statistics_.values.push_back({value, duration});
    std::ranges::stable_sort(statistics_.values, std::greater{}, &ValueDuration::duration);
    return std::move(statistics_);
  }

 private:
  // Sessions may overlap, so later rows are not always newer.
  void note_readings(const TimedBlock& block, std::span<const double> readings) {
    std::size_t first = readings.size();
    std::size_t last = 0;
    std::size_t min = 0;
    std::size_t max = 0;
    for (std::size_t row = 0; row < readings.size(); ++row) {
      const double reading = readings[row];
      if (reading != reading) continue;
      if (first == readings.size()) first = min = max = row;
      last = row;
      if (reading < readings[min]) min = row;
      if (reading > readings[max]) max = row;
    }
    if (first == readings.size()) return;
    const auto at = [&](std::size_t row) { return ReadingAt{readings[row], block.times[row]}; };
    MetricStatistics& s = statistics_;
    if (!s.first || block.times[first] < s.first->time) s.first = at(first);
    if (!s.last || block.times[last] >= s.last->time) s.last = at(last);
    if (!s.min || readings[min] < s.min->value) s.min = at(min);
    if (!s.max || readings[max] > s.max->value) s.max = at(max);
  }

  void note_values(const TimedBlock& block, std::span<const double> readings) {
    for (std::size_t row = 0; row < readings.size(); ++row) {
      if (std::isnan(readings[row])) continue;
      values_[std::llround(readings[row])] += microseconds{block.durations[row]};
    }
  }

  MetricStatistics statistics_;
  ReadingCounts counts_;
  std::vector<RuleTime> rules_;
  std::map<std::int64_t, microseconds> values_;
};

class RangeCollector {
 public:
  RangeCollector(const DeviceRecord& device, std::span<const AlertRule> rules) {
    for (std::size_t index = 0; index < device.metrics.size(); ++index) {
      const MetricRecord& metric = device.metrics[index];
      names_.push_back(metric.name);
      metrics_.emplace_back(metric, rules);
      if (metric.name == "perfcap_reason") perfcap_ = index;
      if (metric.name == "gpu_load") load_ = index;
    }
  }

  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

  void take(const TimedBlock& block) {
    rows_ += static_cast<std::int64_t>(block.times.size());
    for (const std::int64_t duration : block.durations) duration_ += microseconds{duration};
    for (std::size_t metric = 0; metric < metrics_.size(); ++metric) {
      if (!block.values[metric].empty()) metrics_[metric].add(block, block.values[metric]);
    }
    if (!perfcap_ || block.values[*perfcap_].empty()) return;
    limits_.add(block, block.values[*perfcap_],
                load_ ? block.values[*load_] : std::span<const double>{});
  }

  void finish(RangeStatistics& result) && {
    result.rows = rows_;
    result.duration = duration_;
    for (auto& metric : metrics_) {
      auto statistics = std::move(metric).finish();
      if (statistics.rows > 0) result.metrics.push_back(std::move(statistics));
    }
    result.limits = std::move(limits_).statistics();
  }

 private:
  std::vector<std::string> names_;
  std::vector<MetricCollector> metrics_;
  std::optional<std::size_t> perfcap_;
  std::optional<std::size_t> load_;
  LimitTime limits_;
  std::int64_t rows_ = 0;
  microseconds duration_{0};
};

}  // namespace

Expected<RangeStatistics> range_statistics(const History& history, const DeviceRecord& device,
                                           TimeRange range, std::span<const AlertRule> rules) {
  if (range.from > range.to) return usage_error("'from' is after 'to'");
  RangeCollector collector(device, rules);
  auto walked = walk_rows(history, {device.device, range.from, range.to, collector.names()},
                          [&](const TimedBlock& block) { collector.take(block); });
  if (!walked) {
    return std::unexpected(std::move(walked).error().wrapped("cannot read the statistics"));
  }
  RangeStatistics result;
  result.device = device.device;
  result.from = range.from;
  result.to = range.to;
  std::move(collector).finish(result);
  return result;
}

}  // namespace gpulse
