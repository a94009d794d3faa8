#include "influxdb/writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <set>
#include <sstream>

#include "influxdb/test_server.h"
#include "influxdb/test_writer.h"

namespace gpulse {
namespace {

using namespace std::chrono_literals;
using test::Asked;
using test::numbered_lines;
using test::quick_options;
using test::RunningWriter;
using test::TestServer;
using test::Told;

constexpr const char* kBadLine =
    R"({"code":"invalid","message":"unable to parse 'm f=13 13': invalid number"})";

std::vector<std::string> lines_of(const std::string& body) {
  std::vector<std::string> out;
  std::istringstream stream(body);
  for (std::string line; std::getline(stream, line);) out.push_back(line);
  return out;
}

// What a server that keeps everything has got.
struct Kept {
  std::set<std::string> lines;
  void take(const Asked& asked) {
    for (auto& line : lines_of(asked.body)) lines.insert(std::move(line));
  }
};

std::size_t lines_in(const Asked& asked) { return lines_of(asked.body).size(); }

TEST(InfluxWriter, EveryLineArrivesAndIsAcknowledgedInOrder) {
  Kept kept;
  std::vector<Asked> asked;
  TestServer server([&](const Asked& request) {
    kept.take(request);
    asked.push_back(request);
    return Told{};
  });
  RunningWriter running(quick_options(server.port()));
  ASSERT_TRUE(running.writer->submit(numbered_lines(1, 2345), {}).has_value());
  ASSERT_TRUE(running.writer->wait_acknowledged({}).has_value());
  EXPECT_EQ(running.writer->acknowledged(), 2345U);
  ASSERT_TRUE(running.stop().has_value());
  EXPECT_EQ(kept.lines.size(), 2345U);
  for (const Asked& request : asked) {
    EXPECT_EQ(request.target, "/api/v2/write?org=gpulse&bucket=gpu-metrics&precision=ns");
    EXPECT_EQ(request.authorization, "Token s3cret");
    EXPECT_EQ(request.content_encoding, "");
    EXPECT_LE(lines_in(request), 500U);
  }
  EXPECT_LE(server.connections(), 3) << "two lanes and the question for the version";
  const auto statistics = running.writer->statistics();
  EXPECT_EQ(statistics.lines_stored, 2345U);
  EXPECT_EQ(statistics.queued_lines, 0U);
  EXPECT_EQ(statistics.queued_bytes, 0U);
  EXPECT_TRUE(statistics.connected);
}

TEST(InfluxWriter, TheServersVersionDecidesHowLinesArePosted) {
  const std::vector<std::array<std::string, 3>> cases{
      {"1.8.10", "/write?db=gpu-metrics", "Token s3cret"},
      {"3.5.0", "/api/v3/write_lp?db=gpu-metrics&precision=nanosecond", "Bearer s3cret"},
      {"", "/api/v2/write?org=gpulse&bucket=gpu-metrics&precision=ns", "Token s3cret"}};
  for (const auto& [version, target, authorized] : cases) {
    Asked last;
    TestServer server(
        [&](const Asked& asked) {
          last = asked;
          return Told{};
        },
        version);
    RunningWriter running(quick_options(server.port()));
    ASSERT_TRUE(running.writer->submit(numbered_lines(1, 1), {}).has_value());
    ASSERT_TRUE(running.writer->wait_acknowledged({}).has_value());
    ASSERT_TRUE(running.stop().has_value());
    EXPECT_EQ(last.target, target);
    EXPECT_EQ(last.authorization, authorized);
  }
}

TEST(InfluxWriter, AnInfluxDB2WithoutAnOrganisationIsAUsageError) {
  TestServer server([](const Asked&) { return Told{}; });
  auto options = quick_options(server.port());
  options.endpoint.address.organisation.clear();
  RunningWriter running(options);
  static_cast<void>(running.writer->submit(numbered_lines(1, 1), {}));
  const auto waited = running.writer->wait_acknowledged({});
  ASSERT_FALSE(waited.has_value());
  EXPECT_EQ(waited.error().kind, ErrorKind::usage);
}

TEST(InfluxWriter, ALineWaitsForOthersNoLongerThanItsLinger) {
  TestServer server([](const Asked&) { return Told{}; });
  auto options = quick_options(server.port());
  options.linger = 500ms;
  RunningWriter running(options);
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE(running.writer->submit(numbered_lines(1, 1), {}).has_value());
  ASSERT_TRUE(running.writer->submit(numbered_lines(2, 1), {}).has_value());
  ASSERT_TRUE(running.writer->wait_acknowledged({}).has_value());
  EXPECT_GE(std::chrono::steady_clock::now() - began, options.linger);
  EXPECT_EQ(running.writer->statistics().requests, 1U) << "both lines are one request";
}

TEST(InfluxWriter, AFlushSendsAtOnce) {
  TestServer server([](const Asked&) { return Told{}; });
  auto options = quick_options(server.port());
  options.linger = 1h;
  RunningWriter running(options);
  ASSERT_TRUE(running.writer->submit(numbered_lines(1, 3), {}).has_value());
  running.writer->flush();
  ASSERT_TRUE(running.writer->wait_acknowledged({}).has_value());
  EXPECT_EQ(running.writer->acknowledged(), 3U);
}

// Refuses every batch with one of the lines in it.
Told refuse_if(const Asked& asked, const std::set<std::string>& bad, Kept& kept,
               const Told& refusal) {
  for (const std::string& line : lines_of(asked.body)) {
    if (bad.contains(line)) return refusal;
  }
  kept.take(asked);
  return {};
}

TEST(InfluxWriter, BadLinesAreFoundAndSetAsideTheRestIsStored) {
  Kept kept;
  const std::set<std::string> bad{"m f=1 1", "m f=13 13", "m f=14 14", "m f=500 500"};
  TestServer server(
      [&](const Asked& asked) { return refuse_if(asked, bad, kept, {400, kBadLine, {}, {}}); });
  RunningWriter running(quick_options(server.port()));
  ASSERT_TRUE(running.writer->submit(numbered_lines(1, 500), {}).has_value());
  ASSERT_TRUE(running.writer->wait_acknowledged({}).has_value());
  EXPECT_EQ(kept.lines.size(), 496U);
  const auto aside = running.heard.set_aside();
  ASSERT_EQ(aside.size(), 4U);
  EXPECT_EQ(aside.at(13).first, "m f=13 13");
  EXPECT_NE(aside.at(13).second.find("unable to parse"), std::string::npos);
  EXPECT_TRUE(aside.contains(1) && aside.contains(14) && aside.contains(500));
  EXPECT_EQ(running.writer->acknowledged(), 500U);
  EXPECT_EQ(running.writer->statistics().lines_set_aside, 4U);
  EXPECT_TRUE(running.heard.notices().empty()) << "a bad line is no outage";
}

TEST(InfluxWriter, ALineThatTheAnswerNamesIsTriedAlone) {
  Kept kept;
  int requests = 0;
  TestServer server([&](const Asked& asked) {
    ++requests;
    if (lines_in(asked) == 1) return Told{400, kBadLine, {}, {}};
    kept.take(asked);
    const bool first = lines_in(asked) == 100;
    return first ? Told{400,
                        R"({"error":"partial write of line protocol occurred","data":
        [{"original_line":"m","line_number":51,"error_message":"no"}]})",
                        {},
                        {}}
                 : Told{};
  });
  RunningWriter running(quick_options(server.port()));
  ASSERT_TRUE(running.writer->submit(numbered_lines(1, 100), {}).has_value());
  running.writer->flush();
  ASSERT_TRUE(running.writer->wait_acknowledged({}).has_value());
  EXPECT_EQ(requests, 4) << "all, those before, the line, those behind";
  const auto aside = running.heard.set_aside();
  ASSERT_EQ(aside.size(), 1U);
  EXPECT_EQ(aside.begin()->first, 51U);
}

TEST(InfluxWriter, WhatIsTooLargeIsSplit) {
  Kept kept;
  TestServer server([&](const Asked& asked) {
    if (lines_in(asked) > 60) return Told{413, R"({"code":"request too large"})", {}, {}};
    kept.take(asked);
    return Told{};
  });
  RunningWriter running(quick_options(server.port()));
  ASSERT_TRUE(running.writer->submit(numbered_lines(1, 500), {}).has_value());
  ASSERT_TRUE(running.writer->wait_acknowledged({}).has_value());
  EXPECT_EQ(kept.lines.size(), 500U);
  EXPECT_TRUE(running.heard.set_aside().empty());
}

TEST(InfluxWriter, AServerThatRefusesWhatItHasStoredEndsItAndNoLineIsSetAside) {
  std::atomic<bool> full = false;
  TestServer server([&](const Asked&) {
    return full ? Told{400, R"({"code":"invalid","message":"service limit reached"})", {}, {}}
                : Told{};
  });
  RunningWriter running(quick_options(server.port()));
  ASSERT_TRUE(running.writer->submit(numbered_lines(1, 10), {}).has_value());
  ASSERT_TRUE(running.writer->wait_acknowledged({}).has_value());
  full = true;
  static_cast<void>(running.writer->submit(numbered_lines(11, 50), {}));
  const auto waited = running.writer->wait_acknowledged({});
  ASSERT_FALSE(waited.has_value());
  EXPECT_FALSE(waited.error().retryable);
  EXPECT_NE(waited.error().message.find("service limit reached, also of a line that it stored"),
            std::string::npos)
      << waited.error().message;
  EXPECT_EQ(running.writer->acknowledged(), 10U);
  EXPECT_TRUE(running.heard.set_aside().empty());
}

TEST(InfluxWriter, AServerThatNeverStoresALineEndsItAfterSome) {
  TestServer server([](const Asked&) { return Told{400, kBadLine, {}, {}}; });
  auto options = quick_options(server.port());
  options.refused_in_a_row_max = 20;
  RunningWriter running(options);
  static_cast<void>(running.writer->submit(numbered_lines(1, 50), {}));
  const auto waited = running.writer->wait_acknowledged({});
  ASSERT_FALSE(waited.has_value());
  EXPECT_NE(waited.error().message.find("and so it did to 19 lines before"), std::string::npos)
      << waited.error().message;
  EXPECT_EQ(running.heard.set_aside().size(), 19U);
}

TEST(InfluxWriter, AnAnswerThatRepeatsABatchOfBadLinesIsRead) {
  const std::string words(2'000'000, 'x');
  TestServer server([&](const Asked& asked) {
    const auto lines = lines_of(asked.body);
    if (std::ranges::find(lines, lines_of(numbered_lines(7, 1).text).front()) == lines.end()) {
      return Told{};
    }
    return Told{400, R"({"code":"invalid","message":"unable to parse )" + words + "\"}", {}, {}};
  });
  RunningWriter running(quick_options(server.port()));
  ASSERT_TRUE(running.writer->submit(numbered_lines(1, 20), {}).has_value());
  ASSERT_TRUE(running.writer->wait_acknowledged({}).has_value());
  EXPECT_EQ(running.heard.set_aside().size(), 1U);
  EXPECT_EQ(running.writer->statistics().lines_stored, 19U);
}

TEST(InfluxWriter, WhatTheServerDropsIsCountedAndNamed) {
  TestServer server([&](const Asked&) {
    return Told{
        422,
        R"({"code":"unprocessable entity","message":"failure writing points to database: partial write: field type conflict: input field \"f\" on measurement \"m\" is type float, already exists as type string dropped=2"})",
        {},
        {}};
  });
  RunningWriter running(quick_options(server.port()));
  ASSERT_TRUE(running.writer->submit(numbered_lines(1, 10), {}).has_value());
  ASSERT_TRUE(running.writer->wait_acknowledged({}).has_value());
  EXPECT_EQ(running.heard.dropped(), 2U);
  EXPECT_NE(running.heard.dropped_reason().find("field type conflict"), std::string::npos);
  EXPECT_EQ(running.writer->statistics().lines_dropped, 2U);
  EXPECT_EQ(running.writer->statistics().lines_stored, 8U);
}

TEST(InfluxWriter, AnOutageIsSaidOnceAndItsEndOnce) {
  Kept kept;
  int requests = 0;
  TestServer server([&](const Asked& asked) {
    switch (++requests) {
      case 1: return Told{503, "", "", {}};
      case 2: return Told{204, "", "", Told::Do::cut};
      case 3: return Told{502, "<html>", "", {}};
      case 4: return Told{429, "", "", {}};
      default: kept.take(asked); return Told{};
    }
  });
  auto options = quick_options(server.port());
  options.requests_in_flight_max = 1;
  RunningWriter running(options);
  ASSERT_TRUE(running.writer->submit(numbered_lines(1, 10), {}).has_value());
  ASSERT_TRUE(running.writer->wait_acknowledged({}).has_value());
  EXPECT_EQ(kept.lines.size(), 10U);
  const auto notices = running.heard.notices();
  ASSERT_EQ(notices.size(), 2U);
  EXPECT_NE(notices[0].find("503"), std::string::npos);
  EXPECT_EQ(notices[1], "back");
  EXPECT_EQ(running.writer->statistics().retries, 3U)
      << "a kept connection that was closed is opened again without further ado";
}

TEST(InfluxWriter, RetryAfterIsHonoured) {
  int requests = 0;
  TestServer server(
      [&](const Asked&) { return ++requests == 1 ? Told{429, "", "1", {}} : Told{}; });
  RunningWriter running(quick_options(server.port()));
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE(running.writer->submit(numbered_lines(1, 1), {}).has_value());
  ASSERT_TRUE(running.writer->wait_acknowledged({}).has_value());
  EXPECT_GE(std::chrono::steady_clock::now() - began, 1s);
}

TEST(InfluxWriter, AServerThatHangsIsAskedAgain) {
  Kept kept;
  int requests = 0;
  TestServer server([&](const Asked& asked) {
    if (++requests == 1) return Told{204, "", "", Told::Do::hang};
    kept.take(asked);
    return Told{};
  });
  auto options = quick_options(server.port());
  options.request_timeout = 100ms;
  RunningWriter running(options);
  ASSERT_TRUE(running.writer->submit(numbered_lines(1, 10), {}).has_value());
  ASSERT_TRUE(running.writer->wait_acknowledged({}).has_value());
  EXPECT_EQ(kept.lines.size(), 10U);
  ASSERT_FALSE(running.heard.notices().empty());
  EXPECT_NE(running.heard.notices()[0].find("no answer within 100 ms"), std::string::npos);
}

TEST(InfluxWriter, ALineThatBreaksTheServerIsSetAsideWhenOthersGetThrough) {
  Kept kept;
  TestServer server([&](const Asked& asked) {
    return refuse_if(asked, {"m f=77 77"}, kept, {500, R"({"code":"internal error"})", {}, {}});
  });
  RunningWriter running(quick_options(server.port()));
  ASSERT_TRUE(running.writer->submit(numbered_lines(1, 100), {}).has_value());
  ASSERT_TRUE(running.writer->wait_acknowledged({}).has_value());
  ASSERT_EQ(running.heard.set_aside().size(), 1U);
  EXPECT_EQ(running.heard.set_aside().begin()->first, 77U);
  EXPECT_EQ(kept.lines.size(), 99U);
}

TEST(InfluxWriter, AServerThatFailsForAWhileLosesNothing) {
  Kept kept;
  int requests = 0;
  TestServer server([&](const Asked& asked) {
    ++requests;
    if (requests > 2 && requests < 120) return Told{500, R"({"message":"cache full"})", {}, {}};
    kept.take(asked);
    return Told{};
  });
  RunningWriter running(quick_options(server.port()));
  for (std::uint64_t first = 1; first < 200; first += 10) {
    ASSERT_TRUE(running.writer->submit(numbered_lines(first, 10), {}).has_value());
    running.writer->flush();
  }
  ASSERT_TRUE(running.writer->wait_acknowledged({}).has_value());
  EXPECT_EQ(kept.lines.size(), 200U);
  EXPECT_TRUE(running.heard.set_aside().empty());
}

TEST(InfluxWriter, AServerThatStoresNothingLosesNothing) {
  Kept kept;
  int requests = 0;
  TestServer server([&](const Asked& asked) {
    if (++requests < 100)
      return Told{500, R"({"code":"internal error","message":"disk full"})", {}, {}};
    kept.take(asked);
    return Told{};
  });
  RunningWriter running(quick_options(server.port()));
  ASSERT_TRUE(running.writer->submit(numbered_lines(1, 20), {}).has_value());
  ASSERT_TRUE(running.writer->wait_acknowledged({}).has_value());
  EXPECT_EQ(kept.lines.size(), 20U);
  EXPECT_TRUE(running.heard.set_aside().empty());
  EXPECT_EQ(running.heard.notices().size(), 2U);
}

TEST(InfluxWriter, WrongTokenAndMissingBucketEndItAndSayWhatToCheck) {
  const std::vector<std::pair<unsigned, std::string>> cases{{401, "check the token in /etc/token"},
                                                            {403, "the right to write"},
                                                            {404, "gpulse setup influxdb"},
                                                            {405, "is this InfluxDB's address?"},
                                                            {302, "is this InfluxDB's address?"}};
  for (const auto& [status, advice] : cases) {
    TestServer server([&](const Asked&) {
      return Told{status, R"({"code":"x","message":"said by the server"})", {}, {}};
    });
    RunningWriter running(quick_options(server.port()));
    static_cast<void>(running.writer->submit(numbered_lines(1, 10), {}));
    const auto waited = running.writer->wait_acknowledged({});
    ASSERT_FALSE(waited.has_value()) << status;
    EXPECT_FALSE(waited.error().retryable);
    EXPECT_NE(waited.error().message.find(advice), std::string::npos) << waited.error().message;
    EXPECT_NE(waited.error().message.find("said by the server"), std::string::npos);
    EXPECT_EQ(waited.error().message.find("s3cret"), std::string::npos);
    EXPECT_FALSE(running.stop().has_value());
    EXPECT_FALSE(running.writer->submit(numbered_lines(11, 1), {}).has_value());
  }
}

// Every line would be set aside if a 400 of just anybody were taken for InfluxDB's.
TEST(InfluxWriter, A400ThatIsNotInfluxDBsOwnEndsIt) {
  TestServer server([](const Asked&) {
    return Told{400, "Client sent an HTTP request to an HTTPS server.", {}, {}};
  });
  RunningWriter running(quick_options(server.port()));
  static_cast<void>(running.writer->submit(numbered_lines(1, 10), {}));
  ASSERT_FALSE(running.writer->wait_acknowledged({}).has_value());
  EXPECT_TRUE(running.heard.set_aside().empty());
}

TEST(InfluxWriter, ASubmitWaitsWhileTheQueueIsFull) {
  TestServer server([](const Asked&) { return Told{204, "", "", Told::Do::hang}; });
  auto options = quick_options(server.port());
  options.queue_bytes_max = 1000;
  RunningWriter running(options);
  EXPECT_TRUE(running.writer->has_room(100'000));  // in an empty queue, whatever its size
  std::stop_source stop;
  Expected<void> submitted;
  std::thread submitter(
      [&] { submitted = running.writer->submit(numbered_lines(1, 1000), stop.get_token()); });
  while (running.writer->statistics().queued_bytes < 980) std::this_thread::yield();
  EXPECT_FALSE(running.writer->has_room(100));
  EXPECT_LE(running.writer->statistics().queued_bytes, 1000U);
  const auto began = std::chrono::steady_clock::now();
  stop.request_stop();
  submitter.join();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  ASSERT_FALSE(submitted.has_value());
  EXPECT_TRUE(submitted.error().retryable);
  EXPECT_EQ(running.writer->acknowledged(), 0U);
}

TEST(InfluxWriter, ItStopsAtOnceWhileTheServerHangs) {
  TestServer server([](const Asked&) { return Told{204, "", "", Told::Do::hang}; });
  RunningWriter running(quick_options(server.port()));
  ASSERT_TRUE(running.writer->submit(numbered_lines(1, 10), {}).has_value());
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE(running.stop().has_value());
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  const auto waited = running.writer->wait_acknowledged({});
  ASSERT_FALSE(waited.has_value());
  EXPECT_TRUE(waited.error().retryable);
}

TEST(InfluxWriter, NobodyListensIsAwayUntilSomebodyDoes) {
  std::uint16_t port = 0;
  {
    TestServer gone([](const Asked&) { return Told{}; });
    port = gone.port();
  }
  RunningWriter running(quick_options(port));
  ASSERT_TRUE(running.writer->submit(numbered_lines(1, 1), {}).has_value());
  running.heard.wait_for_notices(1);
  EXPECT_NE(running.heard.notices()[0].find("cannot reach InfluxDB at 127.0.0.1:"),
            std::string::npos);
  EXPECT_FALSE(running.writer->statistics().connected);
  ASSERT_TRUE(running.stop().has_value());
}

TEST(InfluxWriter, AnOddConfigurationIsAUsageError) {
  auto options = quick_options(1);
  options.batch_lines_max = 0;
  EXPECT_FALSE(InfluxWriter::validate(options).has_value());
  options = quick_options(1);
  options.requests_in_flight_max = 0;
  EXPECT_FALSE(InfluxWriter::validate(options).has_value());
  options = quick_options(1);
  options.pause_max = 0ms;
  EXPECT_FALSE(InfluxWriter::validate(options).has_value());
  EXPECT_TRUE(InfluxWriter::validate(quick_options(1)).has_value());
}

}  // namespace
}  // namespace gpulse
