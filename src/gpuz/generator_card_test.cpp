#include "gpuz/generator_card.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "gpuz/made_log.h"

namespace gpulse {
namespace {

using namespace std::chrono_literals;
using namespace generator_test;

TEST(LogGeneratorCard, RailsAddUpToTheBoard) {
  const MadeLog log(options_for(ColumnSet::nvidia, Scenario::mixed, 5000));
  for (const Row& row : log.rows) {
    const auto board = log.value(row, "board_power_draw");
    if (!board) continue;
    double rails = 0;
    for (const char* rail :
         {"pcie_slot_power", "pcie_6pin1_power", "pcie_8pin1_power", "usb_c_power_draw"}) {
      rails += log.value(row, rail).value();
    }
    ASSERT_NEAR(rails, *board, 0.4) << row.time;
    ASSERT_LT(log.value(row, "gpu_chip_power_draw"), *board) << row.time;
  }
}

TEST(LogGeneratorCard, ClocksAndVoltagesStandInTheirTables) {
  const MadeLog log(options_for(ColumnSet::nvidia, Scenario::power_throttle, 3000));
  std::set<double> voltages;
  for (const Row& row : log.rows) {
    const auto clock = log.value(row, "gpu_clock");
    if (clock) {
      ASSERT_EQ(std::fmod(*clock, 15), 0) << row.time;
    }
    const double millivolts = log.value(row, "gpu_voltage").value() * 1000;
    const double steps = std::ceil(std::round(millivolts) / 6.25);
    ASSERT_NEAR(std::floor(steps * 6.25), millivolts, 1e-6) << row.time;
    voltages.insert(millivolts);
  }
  EXPECT_GE(voltages.size(), 5U);
}

TEST(LogGeneratorCard, HeatLagsBehindTheLoad) {
  const MadeLog log(options_for(ColumnSet::nvidia, Scenario::fan_failure, 1200));
  std::size_t begin = 0;  // of the first match
  while (log.value(log.rows[begin], "gpu_load").value_or(0) < 95) ++begin;
  const auto temperature = [&](std::size_t row) {
    return log.value(log.rows[row], "gpu_temperature").value();
  };
  const double before = temperature(begin - 5);
  const double rise = temperature(begin + 240) - before;
  EXPECT_GT(rise, 10);
  EXPECT_LT(temperature(begin + 1) - before, rise * 0.6);
  EXPECT_GT(temperature(begin + 60) - before, rise * 0.4);
  EXPECT_LT(temperature(begin + 60) - before, rise * 0.95);
}

TEST(LogGeneratorCard, HotSpotIsHotterTheMorePowerFlows) {
  const MadeLog log(options_for(ColumnSet::nvidia, Scenario::mixed, 4000));
  double offset_sum[2] = {};
  double count[2] = {};
  for (const Row& row : log.rows) {
    const auto die = log.value(row, "gpu_temperature");
    if (!die) continue;
    const double offset = *log.value(row, "hot_spot_temperature") - *die;
    ASSERT_GT(offset, 0) << row.time;
    const bool busy = log.value(row, "gpu_chip_power_draw").value() > 120;
    offset_sum[busy] += offset;
    count[busy] += 1;
  }
  EXPECT_GT(offset_sum[1] / count[1], offset_sum[0] / count[0] + 1.5);
}

TEST(LogGeneratorCard, FansStopWhenCoolAndFollowTheHeat) {
  const MadeLog log(options_for(ColumnSet::nvidia, Scenario::mixed, 6000));
  std::set<bool> stopped;
  for (const Row& row : log.rows) {
    const auto percent = log.value(row, "fan1_speed_percent");
    if (!percent) continue;
    stopped.insert(*percent == 0);
    ASSERT_TRUE(*percent == 0 || *percent >= 30) << row.time;
    if (*percent == 0) {
      ASSERT_LT(log.value(row, "gpu_temperature"), 62) << row.time;
    }
  }
  EXPECT_EQ(stopped.size(), 2U);
}

TEST(LogGeneratorCard, PerfCapSaysWhatHoldsTheCard) {
  for (const Scenario scenario :
       {Scenario::gaming, Scenario::power_throttle, Scenario::thermal_throttle, Scenario::idle}) {
    const MadeLog log(options_for(ColumnSet::nvidia, scenario, 4000));
    for (const Row& row : log.rows) {
      const int bits = static_cast<int>(log.value(row, "perfcap_reason").value());
      const auto board = log.value(row, "board_power_draw");
      if (!board) continue;
      if (bits & 1) {
        ASSERT_NEAR(*board, 185, 12) << row.time;
      }
      if (bits & 2) {
        ASSERT_GT(log.value(row, "gpu_temperature"), 75) << row.time;
      }
      if (bits & 4) {
        ASSERT_GE(log.value(row, "gpu_clock"), 1995) << row.time;
      }
      ASSERT_TRUE(bits == 16 || (bits & 7) != 0) << row.time;
    }
    const auto rows_with = [&log](std::initializer_list<std::size_t> values) {
      std::uint64_t rows = 0;
      for (const std::size_t value : values) rows += log.facts.perfcap_rows[value];
      return rows;
    };
    EXPECT_EQ(rows_with({1, 3}) > 1500, scenario == Scenario::power_throttle);
    EXPECT_EQ(rows_with({2, 3}) > 1500, scenario == Scenario::thermal_throttle);
    EXPECT_EQ(rows_with({4}) > 0, scenario != Scenario::idle);
  }
}

TEST(LogGeneratorCard, ThePowerLimitHolds) {
  const MadeLog log(options_for(ColumnSet::nvidia, Scenario::power_throttle, 4000));
  const Label label = log.labels_of("power_limit").at(0);
  const auto rows = log.rows_in(label);
  ASSERT_GT(rows.size(), 2000U);
  for (const Row& row : rows) {
    if (const auto board = log.value(row, label.metric)) {
      ASSERT_LT(*board, label.magnitude + 4);
    }
  }
  EXPECT_GT(static_cast<double>(log.facts.metrics[log.column.at(label.metric)].max) / 10,
            label.magnitude * 1.15);
}

TEST(LogGeneratorCard, DustRaisesTheEveningsPeaksOverWeeks) {
  GeneratorOptions options = options_for(ColumnSet::nvidia, Scenario::dust, 1);
  options.rows.reset();
  options.interval = 10s;
  const MadeLog log(options);
  std::map<std::string, double> peak;  // by day
  for (const Row& row : log.rows) {
    double& most = peak[row.time.substr(0, 10)];
    most = std::max(most, log.value(row, "gpu_temperature").value_or(0));
  }
  EXPECT_EQ(peak.size(), 21U);
  EXPECT_GT(std::prev(peak.end(), 2)->second, std::next(peak.begin())->second + 5);
  EXPECT_EQ(log.facts.headers, 21U);
  EXPECT_EQ(log.labels_of("restart").size(), 20U);
}

// Order-0 entropy of the steps from row to row, in bytes a reading: 0.268 in the real log of 2023.
TEST(LogGeneratorCard, ReadingsCarryAsMuchNewsAsRealOnes) {
  GeneratorOptions options = options_for(ColumnSet::nvidia, Scenario::gaming, 4826);
  options.scenarios = {Scenario::gaming, Scenario::idle};
  const MadeLog log(options);
  double bytes = 0;
  for (std::size_t i = 0; i < log.column.size(); ++i) {
    std::map<std::int64_t, double> steps;
    for (std::size_t row = 1; row < log.rows.size(); ++row) {
      const auto from = log.rows[row - 1].values[i];
      const auto to = log.rows[row].values[i];
      if (from && to) ++steps[std::llround((*to - *from) * 10'000)];
    }
    for (const auto& [step, count] : steps) {
      const double share = count / static_cast<double>(log.rows.size());
      bytes -= share * std::log2(share) / 8;
    }
  }
  EXPECT_NEAR(bytes / static_cast<double>(log.column.size()), 0.268, 0.05);
}

}  // namespace
}  // namespace gpulse
