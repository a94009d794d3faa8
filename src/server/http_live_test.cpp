// Live clients of the server.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "server/http_server_fixture.h"

namespace gpulse {
namespace {

using test::Answer;
using test::Client;

class HttpLive : public test::HttpServerFixture {};

TEST_F(HttpLive, ALiveClientGetsHelloThenWhatHappens) {
  start();
  Client client(port);
  client.send(client.request("GET", "/api/v1/live?host=rig&gpu=gpu0"));
  EXPECT_NE(client.until("\r\n\r\n").find("Content-Type: text/event-stream\r\n"),
            std::string::npos);
  EXPECT_EQ(
      client.until("\n\n"),
      "event: hello\ndata: {\"version\":\"0.1.0\",\"now\":\"2023-06-16T08:33:48.000000Z\"}\n\n");
  hub.publish_rows(rows(world.attic, 0, 1));
  hub.publish_rows(rows(world.rig, 0, 1));
  EXPECT_EQ(client.until("\n\n"),
            "event: rows\ndata: {\"host\":\"rig\",\"gpu\":\"gpu0\",\"source\":\"log-a\","
            "\"session\":680,\"metrics\":[\"gpu_temperature\"],\"rows\":[[1686903428000,63.0]],"
            "\"dropped\":0}\n\n");
  hub.publish_job(job(1));
  EXPECT_TRUE(client.until("\n\n").starts_with("event: job\ndata: {\"job\":\"1\""));
}

TEST_F(HttpLive, ALiveClientThatGoesIsForgotten) {
  start();
  Client client(port);
  client.send(client.request("GET", "/api/v1/live"));
  client.until("event: hello");
  EXPECT_TRUE(hub.has_clients());
  client.close();
  EXPECT_TRUE(comes_true([&] { return !hub.has_clients(); }));
}

TEST_F(HttpLive, LiveClientsHaveALimit) {
  start();
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < kLiveClientsMax; ++i) {
    clients.push_back(std::make_unique<Client>(port));
    clients.back()->send(clients.back()->request("GET", "/api/v1/live"));
    clients.back()->until("event: hello");
  }
  Client client(port);
  EXPECT_EQ(client.ask("GET", "/api/v1/live").status, 503);
  EXPECT_EQ(client.ask("GET", "/healthz").status, 200);
}

TEST_F(HttpLive, ASlowLiveClientHoldsNobodyUpAndIsToldWhatItMissed) {
  start();
  Client slow(port);
  slow.send(slow.request("GET", "/api/v1/live"));
  slow.until("event: hello");
  constexpr int kRows = 2'000'000;  // 40 MB, more than any socket buffers
  constexpr int kBatch = 1000;
  for (int i = 0; i < kRows; i += kBatch) hub.publish_rows(rows(world.rig, i, kBatch));
  Client other(port);
  EXPECT_EQ(other.ask("GET", "/healthz").status, 200);
  const std::string last = "[" + std::to_string(1686903428000 + (kRows - 1) * 1000LL) + ",63.0]]";
  std::string text = slow.until(last);
  text += slow.until("\n\n");
  EXPECT_NE(text.find(last), std::string::npos);
  EXPECT_LT(text.size(), 20'000'000U);
  const auto each = [&](std::string_view mark, auto count) {
    std::size_t sum = 0;
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos;) {
      at += mark.size();
      sum += count(at);
    }
    return sum;
  };
  const std::size_t came = each(",63.0]", [](std::size_t) { return 1U; });
  const std::size_t dropped =
      each("\"dropped\":", [&](std::size_t at) { return std::stoul(text.substr(at, 20)); });
  EXPECT_GT(dropped, 0U);
  EXPECT_EQ(came + dropped, static_cast<std::size_t>(kRows));
}

}  // namespace
}  // namespace gpulse
