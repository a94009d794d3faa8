#include "gpuz/log_generator.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "gpuz/header.h"
#include "gpuz/made_log.h"
#include "telemetry/metric.h"

namespace gpulse {
namespace {

using namespace std::chrono_literals;
using namespace generator_test;

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

TEST(LogGeneratorFormat, HeaderIsGpuZsOwn) {
  EXPECT_TRUE(generator::header_text(ColumnSet::nvidia, DegreeSign::byte)
                  .starts_with("        Date        , GPU Clock [MHz] , Memory Clock [MHz] , "
                               "GPU Temperature [\xB0"
                               "C] , Hot Spot [\xB0"
                               "C] , Fan 1 Speed (%) [%] ,"));
  EXPECT_EQ(generator::header_text(ColumnSet::old, DegreeSign::byte),
            "        Date        , GPU Core Clock [MHz] , GPU Memory Clock [MHz] , "
            "GPU Temperature [\xB0"
            "C] , GPU Power [W] , GPU Load [%] , Memory Usage [MB] ,\n");
}

TEST(LogGeneratorFormat, DegreeSignComesInFourForms) {
  const auto old = [](DegreeSign degree) { return generator::header_text(ColumnSet::old, degree); };
  EXPECT_NE(old(DegreeSign::byte)
                .find("[\xB0"
                      "C]"),
            std::string::npos);
  EXPECT_NE(old(DegreeSign::utf8).find("[°C]"), std::string::npos);
  EXPECT_NE(old(DegreeSign::none).find("[C]"), std::string::npos);
  EXPECT_NE(old(DegreeSign::korean).find("[캜]"), std::string::npos);
}

TEST(LogGeneratorFormat, CellsAreAsWideAsTheirTitles) {
  for (const ColumnSet set : kSets) {
    const MadeLog log(options_for(set, Scenario::mixed, 300));
    const std::string_view end = set == ColumnSet::old ? "\n" : "\r\n";
    ASSERT_TRUE(log.header.ends_with(std::string(",").append(end)));
    for (const Row& row : log.rows) {
      const std::string line = log.text.substr(row.offset, row.end - row.offset);
      ASSERT_EQ(line.size(), log.header.size());
      ASSERT_TRUE(line.ends_with(end));
      for (std::size_t i = 0; i < line.size(); ++i) {
        ASSERT_EQ(line[i] == ',', log.header[i] == ',') << line;
        if (i > 20 && line[i] == ',') {
          ASSERT_EQ(line.substr(i - 3, 3), "   ") << line;
        }
        if (i > 20 && line[i] == ',') {
          ASSERT_NE(line[i - 4], ' ') << line;
        }
      }
    }
  }
}

TEST(LogGeneratorFormat, ARowIsAsPrintfWouldWriteIt) {
  generator::RowText row(ColumnSet::old, DegreeSign::byte);
  row.set_time(*parse_start_time("2017-06-17 15:37:57"));
  const auto set_all = [&row](std::initializer_list<std::int32_t> counts) {
    std::size_t column = 0;
    for (const std::int32_t count : counts) row.set(column++, count);
  };
  set_all({12345, 99999, 1010, 1000, 100, 4096});
  set_all({3000, 9333, 500, 0, 0, 213});  // shorter values must leave nothing behind
  EXPECT_EQ(row.text(),
            "2017-06-17 15:37:57 ,              300.0   ,                933.3   ,               "
            "50.0   ,         0.0   ,          0   ,             213   ,\n");
  row.set(0, generator::RowText::kAbsent);
  EXPECT_TRUE(row.text().starts_with("2017-06-17 15:37:57 ,                  -   ,"));
}

TEST(LogGeneratorFormat, MetricsAreThoseThatTheHeadersNamesMean) {
  for (const ColumnSet set : kSets) {
    for (const DegreeSign degree :
         {DegreeSign::byte, DegreeSign::utf8, DegreeSign::none, DegreeSign::korean}) {
      const std::string header = generator::header_text(set, degree);
      const Layout layout =
          parse_header(std::string_view(header).substr(0, header.find_last_of(',') + 1));
      const auto columns = generator::columns_of(set);
      ASSERT_EQ(layout.columns.size(), columns.size());
      for (std::size_t i = 0; i < columns.size(); ++i) {
        EXPECT_EQ(layout.columns[i].metric, columns[i].metric);
        std::string name = layout.columns[i].metric;
        if (name.ends_with("_2")) name.resize(name.size() - 2);  // the second of one title
        EXPECT_NE(MetricCatalogue::get().find(name), nullptr) << name;
      }
    }
  }
}

// Where a row has commas, points and blanks that no value can move.
std::string mask_of(std::string_view line) {
  std::string mask(line);
  for (char& c : mask) {
    if (c != ',' && c != '.' && c != '\r' && c != '\n') c = ' ';
  }
  return mask;
}

TEST(LogGeneratorFormat, RowsHaveTheShapeOfRealRows) {
  const char* const folder = std::getenv("GPULSE_REAL_LOGS");
  if (folder == nullptr || *folder == '\0') GTEST_SKIP() << "GPULSE_REAL_LOGS is not set";
  const std::map<ColumnSet, std::string> names = {{ColumnSet::nvidia, "nvidia-2023.txt"},
                                                  {ColumnSet::amd, "amd-2020-restarts.txt"},
                                                  {ColumnSet::old, "legacy-2017-lf.txt"}};
  for (const auto& [set, name] : names) {
    std::ifstream file(std::string(folder) + "/" + name, std::ios::binary);
    std::string header;
    std::string row;
    ASSERT_TRUE(std::getline(file, header) && std::getline(file, row)) << name;
    const MadeLog log(options_for(set, Scenario::gaming, 2));
    EXPECT_EQ(log.header, header + "\n") << name;
    EXPECT_EQ(mask_of(log.text.substr(log.rows[1].offset)), mask_of(row + "\n")) << name;
  }
}

TEST(LogGenerator, SameSeedSameBytesOnEveryMachine) {
  const std::map<ColumnSet, std::uint64_t> hashes = {{ColumnSet::nvidia, 0x76de49ae2fc6d9a4U},
                                                     {ColumnSet::amd, 0xcc1c21200fe9410U},
                                                     {ColumnSet::intel, 0x5c7dae79019ee335U},
                                                     {ColumnSet::old, 0x581fc0b3ab97737fU}};
  for (const auto& [set, hash] : hashes) {
    GeneratorOptions options = options_for(set, Scenario::mixed, 6000);
    options.scenarios = {Scenario::mixed, Scenario::thermal_throttle, Scenario::restarts};
    EXPECT_EQ(fnv1a(MadeLog(options).text), hash) << to_string(set);
  }
}

TEST(LogGenerator, SeedsDiffer) {
  GeneratorOptions options = options_for(ColumnSet::nvidia, Scenario::gaming, 50);
  const std::string text = MadeLog(options).text;
  options.seed = 8;
  EXPECT_NE(MadeLog(options).text, text);
}

TEST(LogGeneratorTime, FractionalIntervalGivesRowsOfOneSecond) {
  GeneratorOptions options = options_for(ColumnSet::old, Scenario::gaming, 100);
  options.interval = 250ms;
  const MadeLog log(options);
  std::map<std::string, int> rows;
  for (const Row& row : log.rows) ++rows[row.time];
  EXPECT_EQ(rows.at("2026-01-01 10:00:00"), 4);
  EXPECT_EQ(rows.at("2026-01-01 10:00:10"), 4);
  EXPECT_EQ(log.rows.back().time, "2026-01-01 10:00:24");
}

TEST(LogGeneratorTime, DurationIsOnTheClockPausesIncluded) {
  for (const Scenario scenario : kScenarios) {
    GeneratorOptions options = options_for(ColumnSet::old, scenario, 1);
    options.rows.reset();
    options.duration = 1h;
    options.start = *parse_start_time("2024-02-29 23:30:00");
    const MadeLog log(options);
    EXPECT_EQ(log.rows.front().time, "2024-02-29 23:30:00");
    EXPECT_GE(log.rows.back().time, "2024-03-01 00:29:57") << to_string(scenario);
    EXPECT_LT(log.rows.back().time, "2024-03-01 00:30:00") << to_string(scenario);
  }
}

TEST(LogGeneratorTime, OnceInAWhileAStepIsTwoSeconds) {
  const MadeLog log(options_for(ColumnSet::old, Scenario::idle, 20'000));
  std::size_t steps = 0;
  for (std::size_t i = 1; i < log.rows.size(); ++i) {
    const auto step = seconds_between(log.rows[i - 1].time, log.rows[i].time);
    ASSERT_TRUE(step == 1 || step == 2);
    if (step == 2) ++steps;
  }
  EXPECT_EQ(steps, 4U);
  EXPECT_EQ(log.labels_of("slow_step").size(), steps);
}

}  // namespace
}  // namespace gpulse
