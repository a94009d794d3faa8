#include "influxdb/sample_writer.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "influxdb/test_server.h"
#include "influxdb/test_writer.h"

namespace gpulse {
namespace {

using namespace std::chrono_literals;
using test::Asked;
using test::TestServer;
using test::Told;

SampleBatch batch_of(std::size_t rows) {
  SampleBatch batch;
  batch.device = {"rig", "gpu0"};
  batch.source = "1f2e";
  batch.layout = std::make_shared<const Layout>(Layout{{{"gpu_temperature", "°C"}}});
  batch.columns.emplace_back(1);
  for (std::size_t i = 0; i < rows; ++i) {
    batch.times.push_back(from_microseconds(static_cast<std::int64_t>(i)));
    batch.offsets.push_back(static_cast<std::int64_t>(100 * i));
    batch.columns[0].push(static_cast<std::int64_t>(600 + i), 1);
  }
  return batch;
}

TEST(InfluxSampleSink, DeliverReturnsWhenEveryRowIsStored) {
  std::size_t lines = 0;
  TestServer server([&](const Asked& asked) {
    lines += static_cast<std::size_t>(std::ranges::count(asked.body, '\n'));
    return Told{};
  });
  test::Heard heard;
  auto options = test::quick_options(server.port());
  options.linger = 1h;  // what is delivered waits for nothing
  auto sink = InfluxSampleSink::build(options, heard);
  ASSERT_TRUE(sink.has_value());
  const std::vector<SampleBatch> batches{batch_of(700), batch_of(1)};
  ASSERT_TRUE((*sink)->deliver(batches, {}).has_value());
  EXPECT_EQ(lines, 701U);
  ASSERT_TRUE((*sink)->deliver({}, {}).has_value());
  ASSERT_TRUE((*sink)->deliver(batches, {}).has_value());
  EXPECT_EQ(lines, 1402U);
  EXPECT_EQ((*sink)->statistics().lines_stored, 1402U);
}

TEST(InfluxSampleSink, ALineLeadsBackToItsRow) {
  struct Asking final : InfluxWriterObserver {
    Expected<void> on_set_aside(std::uint64_t ticket, std::string_view,
                                const std::string&) override {
      rows.push_back(sink->row_of(ticket));
      return {};
    }
    void on_dropped(std::uint64_t, std::uint64_t, std::uint64_t, const std::string&) override {}
    void on_away(const std::string&) override {}
    void on_back() override {}
    InfluxSampleSink* sink = nullptr;
    std::vector<std::optional<DeliveredRow>> rows;
  } asking;
  TestServer server([](const Asked& asked) {
    const bool bad = asked.body.find("offset=200 ") != std::string::npos;
    return bad ? Told{400, R"({"code":"invalid","message":"no"})", {}, {}} : Told{};
  });
  auto sink = InfluxSampleSink::build(test::quick_options(server.port()), asking);
  ASSERT_TRUE(sink.has_value());
  asking.sink = sink->get();
  std::vector<SampleBatch> batches{batch_of(2), batch_of(3)};
  batches[1].source = "other";
  for (int i = 0; i < 2; ++i) ASSERT_TRUE((*sink)->deliver(batches, {}).has_value());
  ASSERT_EQ(asking.rows.size(), 2U);
  for (const auto& row : asking.rows) {
    ASSERT_TRUE(row.has_value());
    EXPECT_EQ(row->device, (Device{"rig", "gpu0"}));
    EXPECT_EQ(row->source, "other");
    EXPECT_EQ(row->offset, 200);
  }
  EXPECT_FALSE((*sink)->row_of(1).has_value());
}

TEST(InfluxSampleSink, AStopEndsItWithinTwoTenthsOfASecond) {
  TestServer server([](const Asked&) { return Told{204, "", "", Told::Do::hang}; });
  test::Heard heard;
  auto sink = InfluxSampleSink::build(test::quick_options(server.port()), heard);
  ASSERT_TRUE(sink.has_value());
  std::stop_source stop;
  Expected<void> delivered;
  std::thread deliverer([&] {
    const std::vector<SampleBatch> batches{batch_of(10)};
    delivered = (*sink)->deliver(batches, stop.get_token());
  });
  while ((*sink)->statistics().queued_lines == 0) std::this_thread::yield();
  const auto began = std::chrono::steady_clock::now();
  stop.request_stop();
  deliverer.join();
  sink->reset();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  ASSERT_FALSE(delivered.has_value());
  EXPECT_TRUE(delivered.error().retryable);
}

TEST(InfluxSampleSink, AWrongTokenIsReturnedByThisAndEveryFurtherDelivery) {
  TestServer server([](const Asked&) {
    return Told{401, R"({"code":"unauthorized","message":"unauthorized access"})", {}, {}};
  });
  test::Heard heard;
  auto sink = InfluxSampleSink::build(test::quick_options(server.port()), heard);
  ASSERT_TRUE(sink.has_value());
  const std::vector<SampleBatch> batches{batch_of(10)};
  for (int i = 0; i < 2; ++i) {
    const auto delivered = (*sink)->deliver(batches, {});
    ASSERT_FALSE(delivered.has_value());
    EXPECT_FALSE(delivered.error().retryable);
    EXPECT_NE(delivered.error().message.find("does not know us"), std::string::npos);
  }
}

}  // namespace
}  // namespace gpulse
