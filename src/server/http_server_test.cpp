// The server through its front door: a socket.
#include "server/http_server.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>

#include "platform/secret_file.h"
#include "server/http_server_fixture.h"

namespace gpulse {
namespace {

using test::Answer;
using test::Client;

class HttpServerTest : public test::HttpServerFixture {};

TEST_F(HttpServerTest, OneConnectionServesManyRequestsAlsoAtOnce) {
  start();
  Client client(port);
  EXPECT_EQ(client.ask("GET", "/api/v1/rules").status, 200);
  const Answer devices = client.ask("GET", "/api/v1/devices");
  EXPECT_TRUE(devices.has_header("Content-Type: application/json"));
  EXPECT_TRUE(devices.has_header("Connection: keep-alive"));
  EXPECT_TRUE(devices.has_header("Date: Fri, 16 Jun 2023 08:33:48 GMT"));
  EXPECT_TRUE(devices.body.starts_with("[{\"host\":\"rig\""));
  client.send(client.request("GET", "/healthz") + client.request("GET", "/nothing") +
              client.request("GET", "/metrics"));
  EXPECT_EQ(client.answer().status, 200);
  EXPECT_EQ(client.answer().status, 404);
  EXPECT_TRUE(client.answer().body.starts_with("# HELP"));
}

TEST_F(HttpServerTest, HeadIsGetWithoutTheBody) {
  start();
  Client client(port);
  const std::string length =
      "Content-Length: " + std::to_string(client.ask("GET", "/api/v1/rules").body.size());
  const Answer head = client.ask("HEAD", "/api/v1/rules");
  EXPECT_EQ(head.status, 200);
  EXPECT_TRUE(head.has_header(length));
  EXPECT_EQ(client.ask("GET", "/healthz").status, 200);
}

TEST_F(HttpServerTest, AClientThatAsksToCloseIsClosed) {
  start();
  Client client(port);
  EXPECT_TRUE(client.ask("GET", "/", "Connection: close\r\n").has_header("Connection: close"));
  EXPECT_TRUE(client.ended());
}

TEST_F(HttpServerTest, EveryAnswerCarriesTheSecurityHeaders) {
  start();
  Client client(port);
  for (const char* target : {"/", "/nothing", "/api/v1/devices", "/metrics"}) {
    const Answer answer = client.ask("GET", target);
    EXPECT_TRUE(answer.has_header(
        "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src "
        "'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"))
        << answer.head;
    EXPECT_TRUE(answer.has_header("X-Content-Type-Options: nosniff"));
  }
}

TEST_F(HttpServerTest, ForeignHostsAndOriginsAreRefused) {
  start();
  Client client(port);
  client.send("GET /api/v1/devices HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_EQ(client.answer().status, 403);
  EXPECT_EQ(client.ask("GET", "/api/v1/devices", "Origin: http://evil.example\r\n").status, 403);
  EXPECT_EQ(client
                .ask("GET", "/api/v1/devices",
                     "Origin: http://127.0.0.1:" + std::to_string(port) + "\r\n")
                .status,
            200);
  client.send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_EQ(client.answer().status, 400);
}

TEST_F(HttpServerTest, AMethodThatIsNotTakenIsToldWhichAre) {
  start();
  Client client(port);
  const Answer answer = client.ask("DELETE", "/api/v1/devices");
  EXPECT_EQ(answer.status, 405);
  EXPECT_TRUE(answer.has_header("Allow: GET, HEAD"));
  EXPECT_EQ(client.ask("BREW", "/").status, 405);
}

TEST_F(HttpServerTest, WhatIsNoHttpIsRefusedAndClosed) {
  start();
  for (const char* text :
       {"HELLO\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nbad header\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"}) {
    Client client(port);
    client.send(text);
    EXPECT_EQ(client.answer().status, 400) << text;
    EXPECT_TRUE(client.ended()) << text;
  }
  Client client(port);
  client.send("GET * HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.answer().status, 400);
}

TEST_F(HttpServerTest, HeadersAndUnwantedBodiesHaveALimit) {
  start();
  Client large_header(port);
  large_header.send(large_header.request(
      "GET", "/", "X-Long: " + std::string(2 * kHeaderBytesMax, 'x') + "\r\n"));
  EXPECT_EQ(large_header.answer().status, 431);
  Client client(port);
  EXPECT_EQ(client.ask("GET", "/healthz", "", std::string(1000, 'x')).status, 200);
  EXPECT_EQ(client.ask("GET", "/healthz", "", std::string(2 * kIgnoredBodyBytesMax, 'x')).status,
            413);
}

TEST_F(HttpServerTest, ConnectionsHaveALimit) {
  start();
  std::vector<std::unique_ptr<Client>> clients;
  clients.reserve(kConnectionsMax);
  for (std::size_t i = 0; i < kConnectionsMax; ++i) {
    clients.push_back(std::make_unique<Client>(port));
  }
  Client client(port);
  EXPECT_EQ(client.answer().status, 503);
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(clients.front()->ask("GET", "/healthz").status, 200);
}

TEST_F(HttpServerTest, AStopEndsLiveAndIdleClientsAtOnce) {
  start();
  Client live(port);
  live.send(live.request("GET", "/api/v1/live"));
  live.until("event: hello");
  live.until("\n\n");
  Client idle(port);
  EXPECT_EQ(idle.ask("GET", "/healthz").status, 200);
  Client silent(port);
  const auto begin = std::chrono::steady_clock::now();
  stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{1});
  EXPECT_TRUE(live.ended());
  EXPECT_TRUE(idle.ended());
  EXPECT_FALSE(hub.has_clients());
}

// Years of history take longer to scan than anyone who stops the program will wait.
TEST_F(HttpServerTest, AStopEndsAnAnswerThatIsStillBeingReadUp) {
  std::atomic<bool> scanning = false;
  world.history.on_scan = [&](const ScanRequest& request) {
    scanning = true;
    if (!request.stop.stop_possible()) return;
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any().wait(lock, request.stop, [] { return false; });
  };
  start();
  Client client(port);
  for (const std::string_view question : {"stats", "sessions"}) {
    client.send(client.request("GET", fmt::format("/api/v1/{}?host=rig&gpu=gpu0", question)));
  }
  ASSERT_TRUE(comes_true([&] { return scanning.load(); }));
  const auto begin = std::chrono::steady_clock::now();
  stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{1});
  const Answer answer = client.answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, R"({"error":{"kind":"operation","message":"cannot read the statistics: )"
                         R"(gpulse is stopping"}})");
  EXPECT_TRUE(client.ended());
}

TEST_F(HttpServerTest, AServerThatNeverRanCanGo) {
  auto built = HttpServer::build(options, parts());
  ASSERT_TRUE(built.has_value());
  built->reset();
}

TEST_F(HttpServerTest, APortInUseIsNamedWithWhatToDo) {
  start();
  options.listen.port = port;
  const auto second = HttpServer::build(options, parts());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().kind, ErrorKind::operation);
  EXPECT_EQ(
      second.error().message,
      "port " + std::to_string(port) +
          " is in use on 127.0.0.1: is gpulse running already? Choose another with --port, or "
          "any free one with --port 0");
}

TEST_F(HttpServerTest, APortInUseMakesWayForTheNextWhereThatIsAsked) {
  start();
  options.listen.port = port;
  options.listen.or_next = true;
  const auto second = HttpServer::build(options, parts());
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_GT((*second)->port(), port);
}

TEST_F(HttpServerTest, TheUrlIsWhereItListens) {
  start();
  EXPECT_NE(port, 0);
  EXPECT_EQ(server->url(), "http://127.0.0.1:" + std::to_string(port) + "/");
}

TEST_F(HttpServerTest, OtherMachinesNeedAToken) {
  options.listen.address = "0.0.0.0";
  const auto without = HttpServer::validate(options);
  ASSERT_FALSE(without.has_value());
  EXPECT_EQ(without.error().kind, ErrorKind::usage);
  EXPECT_NE(without.error().message.find("--token-file"), std::string::npos);

  options.listen.token_file = folder / "token";
  std::filesystem::create_directories(folder);
  std::ofstream(options.listen.token_file) << "0123456789abcdef\n";
  ASSERT_TRUE(keep_to_owner(options.listen.token_file).has_value());
  start();
  Client client(port);
  EXPECT_EQ(client.ask("GET", "/api/v1/devices").status, 401);
  const Answer answer = client.ask("GET", "/?token=0123456789abcdef");
  EXPECT_EQ(answer.status, 303);
  EXPECT_TRUE(answer.has_header("Location: /"));
  EXPECT_EQ(client.ask("GET", "/", "Cookie: gpulse_token=0123456789abcdef\r\n").status, 200);
  EXPECT_EQ(client.ask("GET", "/metrics", "Authorization: Bearer 0123456789abcdef\r\n").status,
            200);
}

TEST_F(HttpServerTest, AddressesThatAreNone) {
  for (const char* listen : {"rig.lan", "256.1.1.1", "127.0.0.1:80"}) {
    options.listen.address = listen;
    const auto valid = HttpServer::validate(options);
    ASSERT_FALSE(valid.has_value()) << listen;
    EXPECT_EQ(valid.error().kind, ErrorKind::usage);
  }
}

}  // namespace
}  // namespace gpulse
