#include "server/live_hub.h"

#include <gtest/gtest.h>

#include "server/test_world.h"

namespace gpulse {
namespace {

using test::at;

SampleBatch rows(const Device& device, double begin, int count, std::int64_t session = 680) {
  SampleBatch batch;
  batch.device = device;
  batch.source = "log-a";
  batch.session = session;
  auto layout = std::make_shared<Layout>();
  layout->columns = {{"gpu_temperature", "°C"}, {"gpu_load", "%"}};
  batch.layout = layout;
  batch.columns = {ReadingColumn(1), ReadingColumn(0)};
  for (int i = 0; i < count; ++i) {
    batch.times.push_back(at(begin + i));
    batch.offsets.push_back(i);
    batch.columns[0].push(630 + i, 1);
    batch.columns[1].push_absent();
  }
  return batch;
}

class LiveHubTest : public testing::Test {
 protected:
  std::unique_ptr<LiveSubscription> subscribe(std::optional<Device> device = {}) {
    return hub.subscribe(std::move(device), [this] { ++wakes; });
  }
  static std::string take(LiveSubscription& subscription) {
    std::string out;
    EXPECT_TRUE(subscription.take(out));
    return out;
  }

  const Device rig{"rig", "gpu0"};
  const Device attic{"attic", "gpu0"};
  LiveHub hub;
  int wakes = 0;
};

TEST_F(LiveHubTest, RowsOfOneSessionThatFollowEachOtherComeAsOneEvent) {
  const auto subscription = subscribe();
  hub.publish_rows(rows(rig, 0, 2));
  hub.publish_rows(rows(rig, 2, 1));
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(take(*subscription),
            "event: rows\n"
            R"(data: {"host":"rig","gpu":"gpu0","source":"log-a","session":680,)"
            R"("metrics":["gpu_temperature","gpu_load"],"rows":[[1686903428000,63.0,null],)"
            R"([1686903429000,63.1,null],[1686903430000,63.0,null]],"dropped":0})"
            "\n\n");
  EXPECT_EQ(take(*subscription), "");
}

TEST_F(LiveHubTest, AnotherSessionIsAnotherEvent) {
  const auto subscription = subscribe();
  hub.publish_rows(rows(rig, 0, 1));
  hub.publish_rows(rows(rig, 1, 1, 9000));
  hub.publish_rows(rows(attic, 1, 1, 9000));
  const std::string text = take(*subscription);
  std::size_t events = 0;
  for (std::size_t at = 0; (at = text.find("event: rows", at)) != std::string::npos; ++at) ++events;
  EXPECT_EQ(events, 3U);
}

TEST_F(LiveHubTest, AWatcherOfOneDeviceHearsNothingOfAnother) {
  const auto subscription = subscribe(attic);
  hub.publish_rows(rows(rig, 0, 1));
  EXPECT_EQ(wakes, 0);
  EXPECT_EQ(take(*subscription), "");
  hub.publish_rows(rows(attic, 0, 1));
  EXPECT_EQ(wakes, 1);
}

TEST_F(LiveHubTest, ASlowWatcherLosesItsOldestRowsAndIsTold) {
  const auto subscription = subscribe();
  const int published = 40'000;
  for (int i = 0; i < published; ++i) hub.publish_rows(rows(rig, i, 1));
  const std::string text = take(*subscription);
  EXPECT_LT(text.size(), 2 * kLiveRowBytesMax);
  std::size_t kept = 0;
  const std::size_t begin = text.find("\"rows\":[");
  for (std::size_t at = begin + 8; (at = text.find("[16", at)) != std::string::npos; ++at) ++kept;
  const std::string dropped = "\"dropped\":" + std::to_string(published - static_cast<int>(kept));
  EXPECT_NE(text.find(dropped), std::string::npos);
  EXPECT_NE(text.find("[" + std::to_string(1686903428000 + (published - 1) * 1000LL)),
            std::string::npos);
  hub.publish_rows(rows(rig, published, 1));
  EXPECT_NE(take(*subscription).find("\"dropped\":0"), std::string::npos);
}

TEST_F(LiveHubTest, OneBatchBeyondTheCapStillComes) {
  const auto subscription = subscribe();
  hub.publish_rows(rows(rig, 0, 20'000));
  const std::string text = take(*subscription);
  EXPECT_GT(text.size(), kLiveRowBytesMax);
  EXPECT_NE(text.find("\"dropped\":0"), std::string::npos);
}

TEST_F(LiveHubTest, ANewerStateReplacesTheOneThatStillWaits) {
  const auto subscription = subscribe();
  ImportJob job;
  job.id = "1";
  job.rows = 10;
  hub.publish_job(job);
  job.rows = 20;
  hub.publish_job(job);
  job.id = "2";
  hub.publish_job(job);
  const std::string text = take(*subscription);
  EXPECT_EQ(text.find("\"rows\":10"), std::string::npos);
  EXPECT_NE(text.find("\"job\":\"1\""), std::string::npos);
  EXPECT_NE(text.find("\"job\":\"2\""), std::string::npos);
}

TEST_F(LiveHubTest, OtherEventsKeepTheirOrderAmongRows) {
  const auto subscription = subscribe();
  test::TestWorld world;
  hub.publish_rows(rows(rig, 0, 1));
  hub.publish_alert(world.history.alerts_[0], world.history.device(rig).metrics, at(759));
  hub.publish_window(world.history.windows_[0], world.history.device(rig).metrics);
  hub.publish_device(world.history.device(rig), std::chrono::seconds{1});
  hub.publish_rows(rows(rig, 1, 1));
  const std::string text = take(*subscription);
  std::size_t before = 0;
  for (const std::string_view kind :
       {"event: rows", "event: alert", "event: window", "event: device", "event: rows"}) {
    const std::size_t found = text.find(kind, before);
    ASSERT_NE(found, std::string::npos) << kind;
    before = found + 1;
  }
  EXPECT_NE(text.find(R"(data: {"host":"rig","gpu":"gpu0","source":"log-a","session":680,"from")"),
            std::string::npos);
}

TEST_F(LiveHubTest, AWatcherThatNeverReadsIsCutOff) {
  const auto subscription = subscribe();
  ImportJob job;
  for (std::size_t i = 0; i <= kLiveEventsMax; ++i) {
    job.id = std::to_string(i);
    hub.publish_job(job);
  }
  std::string out;
  EXPECT_FALSE(subscription->take(out));
  EXPECT_EQ(out, "");
}

TEST_F(LiveHubTest, ClientsAreThoseThatWatch) {
  EXPECT_FALSE(hub.has_clients());
  {
    const auto subscription = subscribe();
    EXPECT_TRUE(hub.has_clients());
  }
  EXPECT_FALSE(hub.has_clients());
  hub.publish_rows(rows(rig, 0, 1));
  EXPECT_EQ(wakes, 0);
}

}  // namespace
}  // namespace gpulse
