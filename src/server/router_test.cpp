#include "server/router.h"

#include <gtest/gtest.h>

#include "server/test_world.h"

namespace gpulse {
namespace {

using test::get;

std::vector<OutletState> outlets() {
  return {{"kafka://k:9092/t", OutletState::Kind::away, "gone", 0, 0, 0, {}},
          {"influxdb://i:8086/o/b", OutletState::Kind::connected, "", 7, 1, 2, Timestamp{}}};
}

class RouterTest : public testing::Test {
 protected:
  int refused(const Request& request) const {
    const auto refusal = router.refuse(request);
    return refusal ? refusal->status : 200;
  }
  Response answer(std::string_view target) const { return router.answer(get(target), requests); }

  test::TestWorld world;
  RequestCounters requests;
  const Api api{world.history, world.rules, world.jobs, outlets};
  const Exporter exporter{world.history,
                          world.rules,
                          world.clock,
                          {"0.1.0", [] { return std::vector<LatestReadings>{}; }, {}}};
  const WebAssets assets{""};
  const LiveHub hub;
  const Router router{
      Access({8337, true, {}, ""}), api, exporter, assets, world.history, hub, world.clock, [] {
        return ProgramState{"0.1.0",      Timestamp{}, "/data", {"GPU-Z Sensor Log.txt"},
                            {"/desktop"}, outlets()};
      }};
};

TEST_F(RouterTest, AForeignHostLearnsNotEvenWhatThereIs) {
  Request request = get("/nothing");
  request.host = "evil.example";
  EXPECT_EQ(refused(request), 403);
}

TEST_F(RouterTest, UnknownPathsAndMethods) {
  EXPECT_EQ(refused(get("/nothing")), 404);
  EXPECT_EQ(refused(get("/metrics")), 200);
  EXPECT_EQ(refused(get("/", "HEAD")), 200);
  const auto refusal = router.refuse(get("/api/v1/logs", "PUT"));
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->status, 405);
  EXPECT_EQ(refusal->headers[0], (std::pair<std::string, std::string>("Allow", "GET, HEAD, POST")));
  EXPECT_EQ(refused(get("/metrics", "POST")), 405);
  EXPECT_EQ(refused(get("/api/v1/logs/1", "DELETE")), 200);
  EXPECT_EQ(refused(get("/api/v1/devices", "GET, HEAD")), 405);
}

TEST_F(RouterTest, WhatHasToBeDone) {
  EXPECT_EQ(router.work(get("/api/v1/live")), Work::live);
  EXPECT_EQ(router.work(get("/api/v1/logs", "POST")), Work::upload);
  EXPECT_EQ(router.work(get("/api/v1/logs")), Work::answer);
  EXPECT_EQ(router.work(get("/")), Work::answer);
}

TEST_F(RouterTest, HealthTellsLiveStaleAndEndedApart) {
  Response response = answer("/healthz");
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.body.starts_with(
      R"({"status":"live","devices":[{"host":"rig","gpu":"gpu0","state":"live","age_seconds":240.75})"))
      << response.body;
  world.history.device(world.rig).state = DeviceState::stale;
  response = answer("/healthz");
  EXPECT_EQ(response.status, 503);
  EXPECT_TRUE(response.body.starts_with(R"({"status":"stale",)"));
  world.history.device(world.rig).state = DeviceState::ended;
  response = answer("/healthz");
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.body.starts_with(R"({"status":"ended",)"));
  world.history.devices_.clear();
  EXPECT_EQ(answer("/healthz").body,
            R"({"status":"waiting","devices":[],"followed":["GPU-Z Sensor Log.txt"],)"
            R"("searched":["/desktop"],"outlets":[{"to":"kafka://k:9092/t","state":"away",)"
            R"("reason":"gone","rows":0,"set_aside":0,"dropped":0,)"
            R"("last_taken":null},)"
            R"({"to":"influxdb://i:8086/o/b","state":"connected","reason":"","rows":7,)"
            R"("set_aside":1,"dropped":2,"last_taken":"1970-01-01T00:00:00.000000Z"}],)"
            R"("program":{"version":"0.1.0",)"
            R"("started":"1970-01-01T00:00:00.000000Z","data":"/data"}})");
}

TEST_F(RouterTest, OutletsAreAListOfTheirOwnToo) {
  const std::string list = answer("/api/v1/outlets").body;
  EXPECT_TRUE(list.starts_with(R"([{"to":"kafka://k:9092/t","state":"away",)")) << list;
  EXPECT_NE(answer("/healthz").body.find("\"outlets\":" + list), std::string::npos);
}

TEST_F(RouterTest, MetricsAreOfPrometheusType) {
  const Response response = answer("/metrics");
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(response.body.find("gpulse_build_info"), std::string::npos);
  EXPECT_EQ(response.body.find("gpulse_process_"), std::string::npos);
}

TEST_F(RouterTest, AFailingStoreIsToldEverywhere) {
  world.history.failing = true;
  for (const char* target : {"/healthz", "/metrics", "/api/v1/devices"}) {
    EXPECT_EQ(answer(target).status, 503) << target;
  }
}

}  // namespace
}  // namespace gpulse
