#include "gpuz/generator_labels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "gpuz/made_log.h"

namespace gpulse {
namespace {

using namespace std::chrono_literals;
using namespace generator_test;

void expect_facts_true(const MadeLog& log, const Facts& facts) {
  std::vector<MetricFacts> seen(facts.metrics.size());
  std::uint64_t rows = 0;
  for (const Row& row : log.rows) {
    if (row.offset < facts.begin_offset || row.end > facts.end_offset) continue;
    ++rows;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      if (!row.values[i]) {
        ++seen[i].absent;
        continue;
      }
      const auto count = static_cast<std::int32_t>(
          std::lround(*row.values[i] * std::pow(10, facts.metrics[i].decimals)));
      if (seen[i].count == 0 || count > seen[i].max) {
        seen[i].max = count;
        seen[i].max_offset = row.offset;
      }
      if (seen[i].count++ == 0 || count < seen[i].min) seen[i].min = count;
    }
  }
  EXPECT_EQ(rows, facts.rows);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].count, facts.metrics[i].count);
    EXPECT_EQ(seen[i].absent, facts.metrics[i].absent);
    EXPECT_EQ(seen[i].min, facts.metrics[i].min) << facts.metrics[i].metric;
    EXPECT_EQ(seen[i].max, facts.metrics[i].max) << facts.metrics[i].metric;
    EXPECT_EQ(seen[i].max_offset, facts.metrics[i].max_offset) << facts.metrics[i].metric;
  }
}

void expect_pause_true(const MadeLog& log, const Label& label) {
  const Row* const before = log.row_at(label.begin_offset);
  const Row* const after = log.row_at(label.end_offset);
  ASSERT_TRUE(before != nullptr && after != nullptr);
  EXPECT_EQ(before + 1, after);
  EXPECT_EQ(before->time, printed(label.begin));
  EXPECT_EQ(after->time, printed(label.end));
  EXPECT_EQ(seconds_between(before->time, after->time), label.magnitude);
  EXPECT_EQ(after->headers_before - before->headers_before, label.kind == "restart" ? 1U : 0U);
}

void expect_fault_true(const MadeLog& log, const Label& label) {
  const auto rows = log.rows_in(label);
  EXPECT_EQ(rows.front().time, printed(label.begin));
  EXPECT_EQ(rows.back().time, printed(label.end));
  ASSERT_TRUE(log.column.contains(label.metric)) << label.metric;
  for (const Row& row : rows) {
    const auto value = log.value(row, label.metric);
    if (!value) continue;
    if (label.kind == "stuck_sensor") {
      ASSERT_EQ(*value, label.magnitude);
    }
    if (label.metric == "fan1_speed_rpm" && &row > &rows.front() + 2) {
      ASSERT_EQ(*value, 0);
    }
    if (label.kind == "thermal_limit") {
      ASSERT_LT(*value, label.magnitude + 3);
    }
  }
}

void expect_labels_true(const MadeLog& log) {
  const std::set<std::string> pauses = {"gap", "restart", "slow_step"};
  std::size_t absent_cells = 0;
  for (const Label& label : log.labels) {
    if (pauses.contains(label.kind)) {
      expect_pause_true(log, label);
    } else if (label.kind == "absent_row") {
      const Row* const row = log.row_at(label.begin_offset);
      ASSERT_NE(row, nullptr);
      EXPECT_EQ(row->end, label.end_offset);
      EXPECT_EQ(static_cast<double>(
                    std::ranges::count(row->values, false, &std::optional<double>::has_value)),
                label.magnitude);
      absent_cells += static_cast<std::size_t>(label.magnitude);
    } else {
      expect_fault_true(log, label);
    }
  }
  std::size_t absent = 0;
  for (const MetricFacts& metric : log.facts.metrics) absent += metric.absent;
  EXPECT_EQ(absent, absent_cells);
  EXPECT_EQ(log.facts.headers - 1, log.labels_of("restart").size());
}

const std::map<Scenario, std::pair<std::string, std::size_t>> kPutIn = {
    {Scenario::power_throttle, {"power_limit", 1}},
    {Scenario::thermal_throttle, {"thermal_limit", 1}},
    {Scenario::dust, {"dust", 1}},
    {Scenario::fan_failure, {"fan_failure", 1}},
    {Scenario::stuck_sensor, {"stuck_sensor", 1}},
    {Scenario::gaps, {"gap", 3}},
    {Scenario::restarts, {"restart", 4}}};

TEST(LogGeneratorLabels, AreTrueOfEveryScenarioAndColumnSet) {
  for (const ColumnSet set : kSets) {
    for (const Scenario scenario : kScenarios) {
      SCOPED_TRACE(std::string(to_string(set)) + " " + std::string(to_string(scenario)));
      const MadeLog log(options_for(set, scenario, 3000));
      EXPECT_EQ(log.rows.size(), 3000U);
      EXPECT_EQ(log.facts.end_offset, log.text.size());
      expect_labels_true(log);
      expect_facts_true(log, log.facts);
      for (const auto& [other, put] : kPutIn) {
        EXPECT_EQ(log.labels_of(put.first).size(), other == scenario ? put.second : 0) << put.first;
      }
    }
  }
}

TEST(LogGeneratorLabels, ScenariosFollowEachOther) {
  GeneratorOptions options = options_for(ColumnSet::amd, Scenario::idle, 3000);
  options.scenarios = {Scenario::idle, Scenario::fan_failure, Scenario::gaps};
  const MadeLog log(options);
  ASSERT_EQ(log.segments.size(), 3U);
  std::uint64_t end = log.header.size();
  for (const Facts& segment : log.segments) {
    EXPECT_EQ(segment.rows, 1000U);
    EXPECT_EQ(segment.begin_offset, end);
    end = segment.end_offset;
    expect_facts_true(log, segment);
  }
  EXPECT_EQ(log.segments[1].scenario, "fan-failure");
  expect_labels_true(log);
  const Label failure = log.labels_of("fan_failure").at(0);
  EXPECT_EQ(failure.end_offset, log.segments[1].end_offset);
}

TEST(LogGeneratorLabels, AStuckSensorMovesAgainAfterwards) {
  const MadeLog log(options_for(ColumnSet::nvidia, Scenario::stuck_sensor, 3000));
  const Label label = log.labels_of("stuck_sensor").at(0);
  std::set<double> outside;
  for (const Row& row : log.rows) {
    if (row.offset >= label.begin_offset && row.end <= label.end_offset) continue;
    if (const auto value = log.value(row, label.metric)) outside.insert(*value);
  }
  EXPECT_GT(outside.size(), 50U);
}

TEST(LogGeneratorLabels, FileIsAsTheDocumentSays) {
  GeneratorOptions options;
  options.scenarios = {Scenario::gaming, Scenario::power_throttle};
  EXPECT_EQ(labels_file_begin(options),
            R"({"version":1,"seed":1,"columns":"nvidia","degree":"byte",)"
            R"("start":"2026-01-01 10:00:00","interval_ms":1000,)"
            R"("scenarios":["gaming","power-throttle"],)"
            "\n\"labels\":[\n");
  const LocalTime time = *parse_start_time("2026-01-01 10:15:00");
  EXPECT_EQ(to_json({"power_limit", Scenario::power_throttle, "board_power_draw", 185, "W", time,
                     time + 2s, 680, 2720}),
            R"({"kind":"power_limit","scenario":"power-throttle","metric":"board_power_draw",)"
            R"("magnitude":185,"unit":"W","begin":"2026-01-01 10:15:00",)"
            R"("end":"2026-01-01 10:15:02","begin_offset":680,"end_offset":2720})");
  Facts facts;
  facts.begin = time;
  facts.end = time;
  facts.end_offset = 9;
  facts.rows = 2;
  facts.headers = 1;
  facts.metrics.push_back({"gpu_voltage", 4, 1, 1, 7120, 10430, time, 5});
  facts.perfcap_rows[4] = 2;
  EXPECT_EQ(labels_file_end(facts, {}),
            "\n],\n\"segments\":[\n\n],\n\"facts\":"
            R"({"begin":"2026-01-01 10:15:00","end":"2026-01-01 10:15:00","begin_offset":0,)"
            R"("end_offset":9,"rows":2,"headers":1,"perfcap_rows":{"4":2},"metrics":{)"
            "\n   "
            R"("gpu_voltage":{"count":1,"absent":1,"min":0.7120,"max":1.0430,)"
            R"("max_at":"2026-01-01 10:15:00","max_offset":5}}}})"
            "\n");
}

}  // namespace
}  // namespace gpulse
