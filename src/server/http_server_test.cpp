// The server through its front door: a socket.
#include "server/http_server.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <optional>
#include <thread>

#include "server/test_client.h"
#include "server/test_world.h"

namespace gpulse {
namespace {

using test::Answer;
using test::Client;

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    std::filesystem::remove_all(folder);
    options.listen.port = 0;
    options.spool_folder = folder / "spool";
  }
  ~HttpServerTest() override {
    stop();
    std::filesystem::remove_all(folder);
  }

  ServerParts parts() {
    return {world.history,
            world.rules,
            world.jobs,
            hub,
            world.clock,
            {"0.1.0", [] { return std::vector<LatestReadings>{}; }, {}},
            [] { return ProgramState{}; }};
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
  bool spool_is_empty() const {
    return !std::filesystem::exists(options.spool_folder) ||
           std::filesystem::is_empty(options.spool_folder);
  }

  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "gpulse_http_server_test";
  test::TestWorld world;
  LiveHub hub;
  ServerOptions options;
  std::unique_ptr<HttpServer> server;
  std::uint16_t port = 0;
  std::jthread running;
};

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
  for (std::size_t i = 0; i < kConnectionsMax; ++i) {
    clients.push_back(std::make_unique<Client>(port));
  }
  Client client(port);
  EXPECT_EQ(client.answer().status, 503);
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(clients.front()->ask("GET", "/healthz").status, 200);
}

TEST_F(HttpServerTest, AnUploadGoesToDiskAndToAJob) {
  start();
  Client client(port);
  std::string log(3'000'000, 'x');
  for (std::size_t i = 0; i < log.size(); i += 7) log[i] = static_cast<char>(i);
  const Answer answer = client.ask("POST", "/api/v1/logs?name=a.txt", "", log);
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.body, R"({"job":"1"})");
  EXPECT_TRUE(answer.has_header("Location: /api/v1/logs/1"));
  EXPECT_TRUE(world.jobs.content(0) == log);
  EXPECT_EQ(client.ask("DELETE", "/api/v1/logs/1").status, 204);
  EXPECT_NE(client.ask("GET", "/api/v1/logs/1").body.find("cancelled"), std::string::npos);
}

TEST_F(HttpServerTest, AnUploadMayComeInChunks) {
  start();
  Client client(port);
  client.send(client.request("POST", "/api/v1/logs?name=a.txt", "Transfer-Encoding: chunked\r\n"));
  client.send("5\r\nhello\r\n");
  client.send("6\r\n world\r\n0\r\n\r\n");
  EXPECT_EQ(client.answer().status, 202);
  EXPECT_EQ(world.jobs.content(0), "hello world");
  EXPECT_EQ(client.ask("GET", "/healthz").status, 200);
}

TEST_F(HttpServerTest, AClientThatWaitsToBeAskedForItsBodyIsAsked) {
  start();
  Client client(port);
  client.send(client.request("POST", "/api/v1/logs?name=a.txt",
                             "Expect: 100-continue\r\nContent-Length: 5\r\n"));
  EXPECT_EQ(client.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");
  EXPECT_EQ(client.answer().status, 202);
}

TEST_F(HttpServerTest, ARefusalIsSeenAlsoByWhoIsStillSending) {
  start();
  Client client(port);
  const Answer answer = client.ask("POST", "/api/v1/logs", "", std::string(20'000'000, 'x'));
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("name is missing"), std::string::npos);
  EXPECT_TRUE(spool_is_empty());
}

TEST_F(HttpServerTest, WhatTheJobsRefuseLeavesNoFile) {
  start();
  world.jobs.refuse = true;
  Client client(port);
  const Answer answer = client.ask("POST", "/api/v1/logs?name=a.txt", "", "# no log");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.body, R"({"error":{"kind":"input","message":"a.txt is no GPU-Z log"}})");
  EXPECT_TRUE(spool_is_empty());
}

TEST_F(HttpServerTest, AnUploadThatBreaksOffLeavesNothing) {
  start();
  Client client(port);
  client.send(client.request("POST", "/api/v1/logs?name=a.txt", "Content-Length: 1000\r\n") + "x");
  EXPECT_TRUE(comes_true([&] { return !spool_is_empty(); }));
  client.close();
  EXPECT_TRUE(comes_true([&] { return spool_is_empty(); }));
  EXPECT_TRUE(world.jobs.list().empty());
}

TEST_F(HttpServerTest, AStartRemovesWhatAKilledOneLeft) {
  std::filesystem::create_directories(options.spool_folder);
  std::ofstream(options.spool_folder / "upload-1.log.part") << "half";
  std::ofstream(options.spool_folder / "upload-2.log") << "a job's";
  start();
  EXPECT_FALSE(std::filesystem::exists(options.spool_folder / "upload-1.log.part"));
  EXPECT_TRUE(std::filesystem::exists(options.spool_folder / "upload-2.log"));
}

TEST_F(HttpServerTest, WhereUploadsCannotGoIsAnOperationError) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "file") << "in the way";
  options.spool_folder = folder / "file" / "spool";
  start();
  Client client(port);
  const Answer answer = client.ask("POST", "/api/v1/logs?name=a.txt", "", "x");
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.body.find("cannot make the folder"), std::string::npos);
}

ImportJob job(int id) {
  ImportJob out;
  out.id = std::to_string(id);
  out.name = "a.txt";
  return out;
}

SampleBatch rows(const Device& device, int begin, int count) {
  SampleBatch batch{device, "log-a", 680, {}, {}, {}, {}};
  auto layout = std::make_shared<Layout>();
  layout->columns = {{"gpu_temperature", "°C"}};
  batch.layout = layout;
  batch.columns = {ReadingColumn(1)};
  for (int i = 0; i < count; ++i) {
    batch.times.push_back(test::at(begin + i));
    batch.offsets.push_back(i);
    batch.columns[0].push(630, 1);
  }
  return batch;
}

TEST_F(HttpServerTest, ALiveClientGetsHelloThenWhatHappens) {
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

TEST_F(HttpServerTest, ALiveClientThatGoesIsForgotten) {
  start();
  Client client(port);
  client.send(client.request("GET", "/api/v1/live"));
  client.until("event: hello");
  EXPECT_TRUE(hub.has_clients());
  client.close();
  EXPECT_TRUE(comes_true([&] { return !hub.has_clients(); }));
}

TEST_F(HttpServerTest, LiveClientsHaveALimit) {
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

TEST_F(HttpServerTest, ASlowLiveClientHoldsNobodyUpAndIsToldWhatItMissed) {
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
  std::filesystem::permissions(options.listen.token_file, std::filesystem::perms::owner_read |
                                                              std::filesystem::perms::owner_write);
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

// Asks everything that docs/openapi.yaml describes, and holds the answers against it.
TEST_F(HttpServerTest, AnswersAreAsTheOpenApiFileSays) {
  if (std::filesystem::path::preferred_separator != '/') GTEST_SKIP() << "Python is not on Windows";
  start();
  const std::jthread publisher([&](const std::stop_token& token) {
    for (int i = 0; !token.stop_requested(); ++i) {
      if (!hub.has_clients()) {
        std::this_thread::yield();
        continue;
      }
      const auto& metrics = world.history.device(world.rig).metrics;
      hub.publish_rows(rows(world.rig, i, 1));
      hub.publish_device(world.history.device(world.rig), std::chrono::seconds{1});
      hub.publish_alert(world.history.alerts_[static_cast<std::size_t>(i % 2)], metrics,
                        test::at(759));
      hub.publish_window(world.history.windows_[0], metrics);
      hub.publish_job(job(1));
    }
  });
  const std::string root = GPULSE_SOURCE_DIR;
  const std::string command = "/usr/bin/python3 " + root + "/tests/openapi_check.py " +
                              server->url() + " " + root +
                              "/docs/openapi.yaml rows,device,alert,window,job";
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace gpulse
