#include "gpuz/header.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "telemetry/metric.h"

namespace gpulse {
namespace {

std::vector<std::string> names_of(std::string_view heading) {
  std::vector<std::string> names;
  for (const ColumnName& column : parse_header(heading).columns) names.push_back(column.metric);
  return names;
}

using Names = std::vector<std::string>;

TEST(Header, EveryTitleOfTheCatalogueIsItsMetric) {
  for (const Metric& metric : MetricCatalogue::get().metrics()) {
    for (const std::string& title : metric.titles) {
      EXPECT_EQ(name_column("  " + title + " "), (ColumnName{metric.name, metric.unit})) << title;
    }
  }
}

TEST(Header, DegreeSignInAnyFormIsTheSameColumn) {
  const ColumnName expected{"gpu_temperature", "°C"};
  for (const std::string_view unit :
       {"\xB0\x43", "°C", "C", "c", "캜", "℃", "癈", "?C", "??C", "\xEF\xBF\xBD\x43", "ºC", "Â°C",
        "\xA1\xE6", "\xA1\xC9", " C "}) {
    EXPECT_EQ(name_column("GPU Temperature [" + std::string(unit) + "]"), expected) << unit;
  }
}

TEST(Header, OtherUnitsAreNoDegrees) {
  EXPECT_EQ(name_column("GPU Temperature [°F]"), (ColumnName{"gpu_temperature_f", "°F"}));
  EXPECT_EQ(name_column("GPU Temperature [K]"), (ColumnName{"gpu_temperature_k", "K"}));
  EXPECT_EQ(name_column("GPU Temperature"), (ColumnName{"gpu_temperature_unknown", ""}));
}

TEST(Header, UnitOfAnotherClassIsAppended) {
  EXPECT_EQ(name_column("GPU Clock [GHz]"), (ColumnName{"gpu_clock_ghz", "GHz"}));
  EXPECT_EQ(name_column("Memory Used [GB]"), (ColumnName{"gpu_memory_used_gb", "GB"}));
  EXPECT_EQ(name_column("PCIe TX [MB/s]"), (ColumnName{"pcie_tx_mb_s", "MB/s"}));
}

TEST(Header, OneTitleWithTwoUnitsIsTwoMetrics) {
  EXPECT_EQ(name_column("Fan Speed [%]").metric, "fan1_speed_percent");
  EXPECT_EQ(name_column("Fan Speed [RPM]").metric, "fan1_speed_rpm");
  EXPECT_EQ(name_column("Power Consumption [W]").metric, "power_consumption");
  EXPECT_EQ(name_column("Power Consumption [% TDP]").metric, "power_consumption_percent");
}

// Else a reading in GHz would be stored, and judged by the rules, as MHz.
TEST(Header, UnknownTitleDoesNotTakeTheNameOfAMetricOfAnotherUnit) {
  EXPECT_EQ(name_column("gpu clock [GHz]"), (ColumnName{"gpu_clock_ghz", "GHz"}));
  EXPECT_EQ(name_column("gpu clock [mhz]"), (ColumnName{"gpu_clock", "MHz"}));
}

TEST(Header, UnknownTitlesBecomeSnakeCase) {
  EXPECT_EQ(name_column("Fan #4 Speed (RPM) [RPM]"), (ColumnName{"fan_4_speed_rpm", "RPM"}));
  EXPECT_EQ(name_column("8-Pin #9 Power [W]"), (ColumnName{"sensor_8_pin_9_power", "W"}));
  EXPECT_EQ(name_column("Liquid  Flow -- [l/h]"), (ColumnName{"liquid_flow", "l/h"}));
  EXPECT_EQ(name_column("Strom [\xB5"
                        "A]"),
            (ColumnName{"strom", "µA"}));
  EXPECT_EQ(name_column("Rest [of [it]"), (ColumnName{"rest_of", "it"}));
  EXPECT_EQ(name_column("No end [W"), (ColumnName{"no_end_w", ""}));
}

TEST(Header, ReservedNamesGetAPrefix) {
  for (const std::string name :
       {"time", "timestamp", "date", "host", "gpu", "session", "source", "offset", "other",
        "high_temp_alert", "high_cpu_temp_alert", "high_power_alert", "high_load_alert"}) {
    EXPECT_EQ(name_column(name + " []").metric, "sensor_" + name);
  }
}

TEST(Header, TitlesWithoutAnyAsciiLetterStayApart) {
  EXPECT_EQ(names_of("Date , 온도 [캜] , 클럭 [MHz] , 부하 [%] ,"),
            (Names{"sensor", "sensor_2", "sensor_3"}));
  EXPECT_EQ(name_column("GPU 온도 [캜]"), (ColumnName{"sensor_gpu", "°C"}));
}

TEST(Header, TwoColumnsOfOneNameStayTwo) {
  EXPECT_EQ(names_of("Date , UVD Clock [MHz] , UVD Clock [MHz] , UVD Clock [MHz] ,"),
            (Names{"uvd_clock", "uvd_clock_2", "uvd_clock_3"}));
  EXPECT_EQ(
      names_of("Date , UVD Clock 2 [x] , UVD Clock [MHz] , UVD Clock [MHz] , UVD Clock 2 [x] ,"),
      (Names{"uvd_clock_2", "uvd_clock", "uvd_clock_3", "uvd_clock_2_2"}));
}

TEST(Header, AThousandColumnsOfOneNameTakeNoTime) {
  std::string heading = "Date,";
  for (std::size_t i = 0; i < kColumnsMax; ++i) heading += "A [W],";
  const auto names = names_of(heading);
  EXPECT_EQ(names.size(), kColumnsMax);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), kColumnsMax);
  EXPECT_EQ(names.back(), "a_1000");
}

TEST(Header, IsToldByItsFirstCell) {
  EXPECT_TRUE(is_header("        Date        , GPU Clock [MHz] ,"));
  EXPECT_TRUE(is_header("Date,"));
  EXPECT_FALSE(is_header("Date"));
  EXPECT_FALSE(is_header("Datei , GPU Clock [MHz] ,"));
  EXPECT_FALSE(is_header("2023-06-16 10:17:08 , Date ,"));
  EXPECT_FALSE(is_header(""));
}

TEST(Header, EmptyCellBehindTheClosingCommaIsNone) {
  EXPECT_EQ(split_cells("a , b ,").size(), 2U);
  EXPECT_EQ(split_cells("a , b ,  ").size(), 2U);
  EXPECT_EQ(split_cells("a , b").size(), 2U);
  EXPECT_EQ(split_cells("a , , ").size(), 2U);
  EXPECT_EQ(split_cells("a , , b").size(), 3U);
  EXPECT_EQ(split_cells("").size(), 1U);
}

}  // namespace
}  // namespace gpulse
