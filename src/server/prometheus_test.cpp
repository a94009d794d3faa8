#include "server/prometheus.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "server/test_world.h"

namespace gpulse {
namespace {

class ExporterTest : public testing::Test {
 protected:
  std::string exposition() {
    const Exporter exporter(
        world.history, world.rules, world.clock,
        {"0.1.0", [this] { return latest; }, [] { return ProcessUsage{1.5, 2.5e7}; }});
    auto text = exporter.exposition({requests, 2});
    EXPECT_TRUE(text.has_value());
    return text.value_or("");
  }
  static void expect_line(const std::string& text, const std::string& line) {
    EXPECT_NE(("\n" + text).find("\n" + line + "\n"), std::string::npos) << line << "\n" << text;
  }

  test::TestWorld world;
  RequestCounters requests;
  std::vector<LatestReadings> latest{
      {world.rig,
       test::at(759),
       {{{"gpu_temperature", "°C", 1}, 63.0},
        {{"gpu_load", "%", 0}, 35},
        {{"power_consumption_percent", "% TDP", 1}, 83.4},
        {{"gpu_clock", "MHz", 1}, 1350.5},
        {{"board_power_draw", "W", 1}, test::kAbsent},
        {{"flux_density", "mT", 3}, 0.125}}},
      {world.attic, test::at(-90'000'000), {{{"gpu_clock", "MHz", 1}, 1350.0}}}};
};

TEST_F(ExporterTest, ReadingsAreInBaseUnits) {
  const std::string text = exposition();
  expect_line(text, "# TYPE gpulse_gpu_temperature_celsius gauge");
  expect_line(text, R"(gpulse_gpu_temperature_celsius{host="rig",gpu="gpu0"} 63)");
  expect_line(text, R"(gpulse_gpu_load_ratio{host="rig",gpu="gpu0"} 0.35)");
  expect_line(text, R"(gpulse_power_consumption_ratio{host="rig",gpu="gpu0"} 0.834)");
  expect_line(text, R"(gpulse_gpu_clock_hertz{host="rig",gpu="gpu0"} 1350500000)");
  expect_line(text, "# HELP gpulse_flux_density The sensor flux_density, in mT as the log has it.");
  expect_line(text, R"(gpulse_flux_density{host="rig",gpu="gpu0"} 0.125)");
}

TEST_F(ExporterTest, AnAbsentReadingIsAbsent) {
  EXPECT_EQ(exposition().find("gpulse_board_power_watts"), std::string::npos);
}

TEST_F(ExporterTest, ASilentDeviceHasNoReadingsButAnAge) {
  world.history.device(world.rig).state = DeviceState::stale;
  const std::string text = exposition();
  EXPECT_EQ(text.find("gpulse_gpu_temperature_celsius"), std::string::npos);
  EXPECT_EQ(text.find("gpulse_alert_firing"), std::string::npos);
  EXPECT_EQ(text.find("gpulse_ingest_lag_seconds"), std::string::npos);
  expect_line(text, R"(gpulse_last_row_age_seconds{host="rig",gpu="gpu0"} 240.75)");
  expect_line(text, R"(gpulse_device_live{host="rig",gpu="gpu0"} 0)");
}

TEST_F(ExporterTest, AnEndedDeviceHasItsRowsOnly) {
  const std::string text = exposition();
  expect_line(text, R"(gpulse_rows_total{host="attic",gpu="gpu0"} 20)");
  EXPECT_EQ(text.find(R"(gpulse_gpu_clock_hertz{host="attic")"), std::string::npos);
  EXPECT_EQ(text.find(R"(gpulse_last_row_age_seconds{host="attic")"), std::string::npos);
}

TEST_F(ExporterTest, TellsHowTheProgramDoes) {
  requests.count(200);
  requests.count(200);
  requests.count(404);
  const std::string text = exposition();
  expect_line(text, R"(gpulse_build_info{version="0.1.0"} 1)");
  expect_line(text, "gpulse_process_cpu_seconds_total 1.5");
  expect_line(text, "gpulse_process_resident_memory_bytes 25000000");
  expect_line(text, R"(gpulse_set_aside_total{host="rig",gpu="gpu0"} 2)");
  expect_line(text, R"(gpulse_ingest_lag_seconds{host="rig",gpu="gpu0"} 0.25)");
  expect_line(text, R"(gpulse_http_requests_total{code="200"} 2)");
  expect_line(text, R"(gpulse_http_requests_total{code="404"} 1)");
  expect_line(text, "gpulse_live_clients 2");
}

TEST_F(ExporterTest, ARuleIsExportedWhetherItFiresOrNot) {
  const std::string text = exposition();
  expect_line(
      text, R"(gpulse_alert_firing{host="rig",gpu="gpu0",rule="gpu_load > 95",severity="info"} 1)");
  expect_line(
      text,
      R"(gpulse_alert_firing{host="rig",gpu="gpu0",rule="gpu_temperature > 85",severity="warning"} 0)");
}

TEST_F(ExporterTest, LabelsAreEscaped) {
  const Device odd{"a\"b\\c\nd\xB0", "gpu0"};
  world.history.add_session(odd, "log-c", 0, 0, {{{"gpu_load", "%"}, 0, {1}}});
  expect_line(exposition(),
              "gpulse_rows_total{host=\"a\\\"b\\\\c\\nd\xEF\xBF\xBD\",gpu=\"gpu0\"} 1");
}

TEST_F(ExporterTest, ASensorNamedLikeOneOfOursGetsAnotherName) {
  latest[0].readings.push_back({{"rows_total", "", 0}, 7});
  latest[0].readings.push_back({{"gpu_clock_hertz", "", 0}, 8});
  const std::string text = exposition();
  expect_line(text, R"(gpulse_rows_total{host="rig",gpu="gpu0"} 360)");
  expect_line(text, R"(gpulse_sensor_rows_total{host="rig",gpu="gpu0"} 7)");
  expect_line(text, R"(gpulse_sensor_gpu_clock_hertz{host="rig",gpu="gpu0"} 8)");
}

TEST_F(ExporterTest, EachFamilyStandsTogetherOnceUnderItsHelpAndType) {
  latest.push_back({{"rig", "gpu1"}, test::at(759), {{{"gpu_temperature", "°C", 1}, 50}}});
  world.history.add_session({"rig", "gpu1"}, "log-d", 0, 0, {{{"gpu_temperature", "°C"}, 0, {50}}});
  std::istringstream lines(exposition());
  std::set<std::string> seen;
  std::string current;
  std::string line;
  while (std::getline(lines, line)) {
    if (line.starts_with("# HELP ")) {
      current = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(seen.insert(current).second) << current << " comes twice";
    } else if (line.starts_with("# TYPE ")) {
      EXPECT_TRUE(line.starts_with("# TYPE " + current + ' ')) << line;
    } else {
      EXPECT_EQ(line.substr(0, line.find_first_of("{ ")), current);
    }
  }
  EXPECT_TRUE(seen.contains("gpulse_gpu_temperature_celsius"));
}

}  // namespace
}  // namespace gpulse
