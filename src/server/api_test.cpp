#include "server/api.h"

#include <gtest/gtest.h>

#include <fmt/format.h>
#include <simdjson.h>

#include "server/test_world.h"

namespace gpulse {
namespace {

using test::at;
using test::get;

class ApiTest : public testing::Test {
 protected:
  // The answer, which must be well-formed JSON.
  std::string answer(std::string_view target, int status = 200) {
    const Response response = api.handle(get(target));
    EXPECT_EQ(response.status, status) << target << ": " << response.body;
    EXPECT_EQ(response.content_type, "application/json");
    simdjson::dom::parser parser;
    EXPECT_EQ(parser.parse(response.body).error(), simdjson::SUCCESS) << response.body;
    return response.body;
  }
  static void expect_contains(const std::string& text, std::string_view part) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in " << text;
  }

  test::TestWorld world;
  Api api{world.history, world.rules, world.jobs, [] { return std::vector<OutletState>{}; }};
};

constexpr std::string_view kRig = "host=rig&gpu=gpu0";

TEST_F(ApiTest, DevicesComeMostRecentlyArrivedFirst) {
  const std::string body = answer("/api/v1/devices");
  EXPECT_TRUE(body.starts_with(
      R"([{"host":"rig","gpu":"gpu0","state":"live","timezone":"Europe/Berlin","rows":360,)"
      R"("first":"2023-06-16T08:17:08.000000Z","last":"2023-06-16T08:29:47.000000Z",)"
      R"("last_arrival":"2023-06-16T08:29:47.250000Z","ahead":null,"usual_step":1,"metrics":[)"
      R"({"name":"gpu_temperature","unit":"°C","kind":"gauge","group":"temperature","decimals":1})"))
      << body;
  expect_contains(
      body, R"({"name":"flux_density","unit":"mT","kind":"gauge","group":"other","decimals":3})");
  EXPECT_LT(body.find("\"rig\""), body.find("\"attic\""));
}

TEST_F(ApiTest, AFailingStoreIsAnOperationError) {
  world.history.failing = true;
  EXPECT_EQ(answer("/api/v1/devices", 503),
            R"({"error":{"kind":"operation","message":"the disk is gone"}})");
}

TEST_F(ApiTest, SeveralDevicesWithoutOneNamedIsAnErrorThatListsThem) {
  expect_contains(answer("/api/v1/sessions", 400), "host=rig gpu=gpu0, host=attic gpu=gpu0");
  expect_contains(answer("/api/v1/sessions?host=rig", 400), "give both, or neither");
  answer("/api/v1/sessions?host=rig&gpu=gpu9", 404);
}

TEST_F(ApiTest, OneDeviceNeedsNoName) {
  test::TestHistory single;
  single.add_session({"rig", "gpu0"}, "log", 0, 0, {{{"gpu_load", "%"}, 0, {1, 2}}});
  const Api alone(single, {}, world.jobs, {});
  EXPECT_EQ(alone.handle(get("/api/v1/sessions")).status, 200);
  const test::TestHistory none;
  EXPECT_EQ(Api(none, {}, world.jobs, {}).handle(get("/api/v1/sessions")).status, 404);
}

TEST_F(ApiTest, RawRowsPrintAsTheLogHadThem) {
  const std::string body = answer(
      "/api/v1/query?host=rig&gpu=gpu0&metric=board_power_draw,gpu_load"
      "&from=1686903434000&to=1686903436000");
  EXPECT_EQ(
      body,
      R"({"from":"2023-06-16T08:17:14.000000Z","to":"2023-06-16T08:17:16.000000Z","raw":true,)"
      R"("series":[{"metric":"board_power_draw","unit":"W",)"
      R"("time":[1686903434000,1686903435000,1686903436000],)"
      R"("min":[180.5,null,180.5],"max":[180.5,null,180.5],"mean":[180.5,null,180.5],)"
      R"("count":[1,0,1]},{"metric":"gpu_load","unit":"%",)"
      R"("time":[1686903434000,1686903435000,1686903436000],)"
      R"("min":[5,5,5],"max":[5,5,5],"mean":[5,5,5],"count":[1,1,1]}]})");
}

TEST_F(ApiTest, ABitMaskHasSecondsPerValueInstead) {
  const std::string body = answer(
      "/api/v1/query?host=rig&gpu=gpu0&metric=perfcap_reason"
      "&from=2023-06-16T08:17:08Z&to=2023-06-16T08:17:12Z");
  expect_contains(body, R"("values":[{"value":1,"seconds":[1,0,0,0,1]},{"value":16,)");
  EXPECT_EQ(body.find("\"min\""), std::string::npos);
}

TEST_F(ApiTest, QueryMistakesAreNamed) {
  const std::string device = "/api/v1/query?host=rig&gpu=gpu0";
  expect_contains(answer(device, 400), "name at least one metric");
  expect_contains(answer(device + "&metric=gpu_tmperature", 400), "gpu_tmperature");
  expect_contains(answer(device + "&metric=gpu_load&points=1", 400), "from 2 to 20000");
  expect_contains(answer(device + "&metric=gpu_load&points=ten", 400), "ten");
  expect_contains(answer(device + "&metric=gpu_load&from=yesterday", 400), "yesterday");
  expect_contains(answer(device + "&metric=gpu_load&from=2000&to=1000", 400), "from is after to");
}

TEST_F(ApiTest, StatsTellAboveAndLimits) {
  const std::string body = answer("/api/v1/stats?" + std::string(kRig));
  expect_contains(body, R"("rows":360,"seconds":360,)");
  expect_contains(
      body, R"({"metric":"gpu_temperature","unit":"°C","rows":360,"absent":0,"count":360,)"
            R"("constant":false,"first":{"value":40.0,"time":"2023-06-16T08:17:08.000000Z"})");
  expect_contains(body,
                  R"("above":[{"rule":"gpu_temperature > 85","limit":85,"severity":"warning")");
  expect_contains(body, R"({"metric":"flux_density","unit":"mT","rows":360,"absent":0,"count":360,)"
                        R"("constant":true,"first":{"value":0.125)");
  expect_contains(body, R"("limits":{"metric":"perfcap_reason","seconds":360,)");
  expect_contains(body, R"({"lane":"power","seconds":90,"share":0.25,)");
}

TEST_F(ApiTest, SessionsComeNewestFirstWithWhatTheyCost) {
  const std::string body = answer("/api/v1/sessions?" + std::string(kRig));
  EXPECT_TRUE(body.starts_with(R"([{"source":"log-a","session":90000,)")) << body;
  expect_contains(body, R"("gpu_temperature_max":90,)");
  // 299 rows with a reading of 180.5 W, one second each, in kilowatt hours.
  expect_contains(body, R"("energy_kwh":0.014991)");
  expect_contains(body, R"("columns":["gpu_temperature","gpu_load","board_power_draw",)");
}

TEST_F(ApiTest, SessionsThatDidNotGrowAreNotReadAgain) {
  answer("/api/v1/sessions?" + std::string(kRig));
  const int scans = world.history.scans;
  EXPECT_GT(scans, 0);
  answer("/api/v1/sessions?" + std::string(kRig));
  EXPECT_EQ(world.history.scans, scans);
}

TEST_F(ApiTest, ASessionWithoutPowerOrTemperatureSaysSo) {
  const std::string body = answer("/api/v1/sessions?host=attic&gpu=gpu0");
  expect_contains(body, R"("gpu_temperature_max":null,"energy_kwh":null,)");
}

TEST_F(ApiTest, SourcesTellWhatWasSetAside) {
  const std::string all = answer("/api/v1/sources");
  expect_contains(
      all,
      R"("set_aside":2,"set_aside_detail":[{"offset":5000,"bytes":12,"reason":"too few cells"})");
  expect_contains(all, R"("absent":{"count":2,"first":"2023-06-16T08:17:15.000000Z",)");
  expect_contains(all, R"("longest_step":{"seconds":1,"at":"2023-06-16T08:17:08.000000Z"})");
  expect_contains(all, "log-b");
  const std::string one = answer("/api/v1/sources?" + std::string(kRig));
  EXPECT_EQ(one.find("log-b"), std::string::npos);
  answer("/api/v1/sources?host=no&gpu=body", 404);
}

TEST_F(ApiTest, WindowsAndAlerts) {
  EXPECT_EQ(answer("/api/v1/windows?" + std::string(kRig)),
            R"([{"source":"log-a","session":680,"from":"2023-06-16T08:17:00.000000Z",)"
            R"("to":"2023-06-16T08:17:30.000000Z","rows":22,"final":true,"metrics":)"
            R"({"gpu_temperature":{"count":22,"mean":41.25,"min":40.0,"max":43.0},)"
            R"("gpu_load":{"count":0,"mean":null,"min":null,"max":null}}}])");
  const std::string alerts = answer("/api/v1/alerts?" + std::string(kRig));
  expect_contains(alerts,
                  R"("severity":"info","state":"firing","began":"2023-06-16T08:28:48.000000Z",)"
                  R"("ended":null,"end_reason":null,"seconds":59,"peak":99,)");
  expect_contains(alerts, R"("rule":"gpu_temperature > 85","metric":"gpu_temperature","unit":"°C",)"
                          R"("limit":85,"release":82,"severity":"warning","state":"ended",)");
  expect_contains(alerts, R"("seconds":29,"peak":90.0,)");
  const std::string one = answer("/api/v1/alerts?limit=1&" + std::string(kRig));
  EXPECT_EQ(one.find("\"ended\",\"began\""), std::string::npos);
}

TEST_F(ApiTest, RulesAndCatalogue) {
  EXPECT_TRUE(answer("/api/v1/rules")
                  .starts_with(R"([{"rule":"gpu_temperature > 85","metric":"gpu_temperature",)"
                               R"("limit":85,"release":82,"for_seconds":10,"severity":"warning",)"
                               R"("above":true})"));
  expect_contains(answer("/api/v1/metrics"),
                  R"({"name":"gpu_clock","unit":"MHz","kind":"gauge","group":"clock","min":0,)"
                  R"("max":10000,"prometheus":"gpulse_gpu_clock_hertz","factor":1000000,)"
                  R"("titles":["GPU Clock [MHz]",)");
}

TEST_F(ApiTest, AnswersHaveThreeQuestions) {
  const std::string body = answer("/api/v1/answers?" + std::string(kRig));
  for (const std::string_view name : {"too_hot", "held_back", "what_changed"}) {
    expect_contains(body, fmt::format(R"("{}":{{"question":")", name));
  }
  expect_contains(answer("/api/v1/answers?last=1&" + std::string(kRig)), "Was it too hot?");
}

TEST_F(ApiTest, ImportRequestsAreCheckedBeforeTheirBody) {
  EXPECT_EQ(Api::import_request(get("/api/v1/logs", "POST")).error().status, 400);
  EXPECT_EQ(
      Api::import_request(get("/api/v1/logs?name=a.txt&timezone=Mars/Base", "POST")).error().status,
      400);
  const auto import = Api::import_request(
      get("/api/v1/logs?name=a%20b.txt&gpu=old&timezone=Europe/Berlin", "POST"));
  ASSERT_TRUE(import.has_value());
  EXPECT_EQ(import->name, "a b.txt");
  EXPECT_EQ(import->host, std::nullopt);
  EXPECT_EQ(import->gpu, "old");
  EXPECT_EQ(import->timezone, "Europe/Berlin");
}

TEST_F(ApiTest, JobsCanBeWatchedAndCancelled) {
  ImportJob job;
  job.id = "1";
  job.name = "README.md";
  job.state = JobState::failed;
  job.error = {"README.md is no GPU-Z log", "# gpulse"};
  world.jobs.jobs_.push_back(job);
  const std::string expected =
      R"({"job":"1","name":"README.md","state":"failed","bytes":0,"bytes_read":0,"rows":0,)"
      R"("sessions":0,"set_aside":0,"host":null,"gpu":null,"error":)"
      R"({"message":"README.md is no GPU-Z log","begins_with":"# gpulse"}})";
  EXPECT_EQ(answer("/api/v1/logs"), "[" + expected + "]");
  EXPECT_EQ(answer("/api/v1/logs/1"), expected);
  answer("/api/v1/logs/2", 404);
  EXPECT_EQ(api.handle(get("/api/v1/logs/2", "DELETE")).status, 404);
  EXPECT_EQ(api.handle(get("/api/v1/logs/1", "DELETE")).status, 204);
  expect_contains(answer("/api/v1/logs/1"), R"("state":"cancelled")");
}

TEST_F(ApiTest, PathsAndMethodsThatAreNot) {
  answer("/api/v1/", 404);
  answer("/api/v1/device", 404);
  answer("/api/v1/devices/", 404);
  answer("/api/v1/logs/", 404);
  answer("/api/v1/logs/1/2", 404);
  EXPECT_EQ(api.handle(get("/api/v1/devices", "POST")).status, 405);
  EXPECT_EQ(Api::allowed_methods("/api/v1/logs"), "GET, HEAD, POST");
  EXPECT_EQ(Api::allowed_methods("/api/v1/logs/7"), "GET, HEAD, DELETE");
  EXPECT_EQ(Api::allowed_methods("/api/v1/live"), "GET");
  EXPECT_EQ(Api::allowed_methods("/api/v2/devices"), "");
}

}  // namespace
}  // namespace gpulse
