// A server over a world of the test's own, and what its clients' tests share. For this module's
// tests only.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "server/http_server.h"
#include "server/test_client.h"
#include "server/test_world.h"

namespace gpulse::test {

class HttpServerFixture : public testing::Test {
 public:
  ~HttpServerFixture() override {
    stop();
    std::filesystem::remove_all(folder);
  }

 protected:
  HttpServerFixture() {
    std::filesystem::remove_all(folder);
    options.listen.port = 0;
    options.spool_folder = folder / "spool";
  }

  ServerParts parts() {
    return {world.history,
            world.rules,
            world.jobs,
            hub,
            world.clock,
            {"0.1.0", [] { return std::vector<LatestReadings>{}; }, {}},
            [] {
              ProgramState program;
              program.outlets = {{"kafka://k:9092/t", OutletState::Kind::away, "gone", 0, 0, 0, {}},
                                 {"influxdb://i:8086/o/b", OutletState::Kind::connected, "", 7, 1,
                                  2, Timestamp{}}};
              return program;
            }};
  }
  void start() {
    auto built = HttpServer::build(options, parts());
    ASSERT_TRUE(built.has_value()) << built.error().message;
    server = *std::move(built);
    port = server->port();
    running = std::jthread(
        [this](const std::stop_token& token) { EXPECT_TRUE(server->run(token).has_value()); });
  }
  void stop() {
    running = {};
    server.reset();
  }
  // Waits for what another thread is about to do.
  template <class Condition>
  static bool comes_true(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }

  static ImportJob job(int id) {
    ImportJob out;
    out.id = std::to_string(id);
    out.name = "a.txt";
    return out;
  }

  static SampleBatch rows(const Device& device, int begin, int count) {
    SampleBatch batch{device, "log-a", 680, {}, {}, {}, {}};
    auto layout = std::make_shared<Layout>();
    layout->columns = {{"gpu_temperature", "°C"}};
    batch.layout = layout;
    batch.columns = {ReadingColumn(1)};
    for (int i = 0; i < count; ++i) {
      batch.times.push_back(at(begin + i));
      batch.offsets.push_back(i);
      batch.columns[0].push(630, 1);
    }
    return batch;
  }

  bool spool_is_empty() const {
    return !std::filesystem::exists(options.spool_folder) ||
           std::filesystem::is_empty(options.spool_folder);
  }

  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "gpulse_http_server_test";
  TestWorld world;
  LiveHub hub;
  ServerOptions options;
  std::unique_ptr<HttpServer> server;
  std::uint16_t port = 0;
  std::jthread running;
};

}  // namespace gpulse::test
