#include "server/status_server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "server/exposition.h"
#include "server/test_client.h"

namespace gpulse {
namespace {

using test::Client;

class StatusServerTest : public testing::Test {
 protected:
  void start() {
    auto built = StatusServer::build(options, pages(), system_clock());
    ASSERT_TRUE(built.has_value()) << built.error().message;
    server = *std::move(built);
    running = std::jthread(
        [this](const std::stop_token& stop) { EXPECT_TRUE(server->run(stop).has_value()); });
  }
  StatusPages pages() {
    return {[](const RequestCounters& requests) {
              Exposition out;
              out.add_process("0.1.0", ProcessUsage{1.5, 2e6});
              out.add_requests(requests);
              return out.text();
            },
            [this] {
              Response response;
              response.status = healthy ? 200 : 503;
              response.body = "{}";
              return response;
            }};
  }

  ListenOptions options;
  std::atomic<bool> healthy = true;
  std::unique_ptr<StatusServer> server;
  std::jthread running;  // ends before the server goes
};

TEST_F(StatusServerTest, HasTwoPages) {
  start();
  Client client(server->port());
  const auto health = client.ask("GET", "/healthz");
  EXPECT_EQ(health.status, 200);
  EXPECT_EQ(health.body, "{}");
  healthy = false;
  EXPECT_EQ(client.ask("GET", "/healthz").status, 503);
  const auto metrics = client.ask("GET", "/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_TRUE(metrics.has_header("Content-Type: text/plain; version=0.0.4; charset=utf-8"));
  EXPECT_NE(metrics.body.find("gpulse_build_info{version=\"0.1.0\"} 1\n"), std::string::npos);
  EXPECT_NE(metrics.body.find("gpulse_process_cpu_seconds_total 1.5\n"), std::string::npos);
  EXPECT_NE(metrics.body.find("gpulse_http_requests_total{code=\"503\"} 1\n"), std::string::npos);
}

TEST_F(StatusServerTest, AndNothingElse) {
  start();
  Client client(server->port());
  EXPECT_EQ(client.ask("GET", "/").status, 404);
  EXPECT_EQ(client.ask("GET", "/api/v1/live").status, 404);
  EXPECT_EQ(client.ask("DELETE", "/metrics").status, 405);
}

TEST_F(StatusServerTest, APortThatIsTakenIsAnErrorThatNamesIt) {
  start();
  options.port = server->port();
  const auto second = StatusServer::build(options, pages(), system_clock());
  ASSERT_FALSE(second.has_value());
  EXPECT_TRUE(second.error().retryable);
  EXPECT_NE(second.error().message.find(std::to_string(options.port)), std::string::npos);
  EXPECT_NE(second.error().message.find("--port"), std::string::npos);
}

}  // namespace
}  // namespace gpulse
