#include <gtest/gtest.h>

#include "doctor/clock_check.h"
#include "doctor/data_folder_check.h"
#include "doctor/influx_check.h"
#include "doctor/kafka_check.h"
#include "doctor/log_check.h"

namespace gpulse::doctor {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Timestamp kNow = *parse_timestamp("2026-11-24T16:00:00Z");

TEST(Report, SaysOnceWhatSeveralNeedAndCounts) {
  const Checks checks{ok("a", "fine"), fail("long name", "gone", "Bring it."),
                      fail("b", "gone", "Bring it."), skipped("c", "not asked"),
                      warn("d", "odd", "Look.")};
  EXPECT_EQ(report(checks, false),
            "ok    a          fine\n"
            "fail  long name  gone\n"
            "fail  b          gone\n"
            "skip  c          not asked\n"
            "warn  d          odd\n"
            "\nWhat to do:\n"
            "- long name, b: Bring it.\n"
            "- d: Look.\n"
            "\n5 checks: 1 ok, 1 warning, 2 failed, 1 not asked\n");
  EXPECT_NE(report(checks, true).find("\x1b[31mfail\x1b[0m"), std::string::npos);
}

TEST(Log, ItsZoneIsJudgedByWholeQuarters) {
  const auto zone = *TimeZone::find("Europe/Berlin");
  const auto judge = [&](Timestamp last_row, Timestamp written) {
    return judge_zone("zone", *zone, last_row, written, kNow);
  };
  EXPECT_EQ(judge(kNow - seconds(20), kNow).verdict, Verdict::ok);
  const Check hour = judge(kNow - hours(1), kNow - seconds(40));
  EXPECT_EQ(hour.verdict, Verdict::warn);
  EXPECT_NE(hour.advice.find("--timezone +00:00"), std::string::npos) << hour.advice;
  EXPECT_NE(judge(kNow - hours(6), kNow - hours(6) - minutes(330)).advice.find("+06:30"),
            std::string::npos);
  EXPECT_EQ(judge(kNow - minutes(50), kNow).verdict, Verdict::ok) << "no whole quarter of an hour";
  EXPECT_EQ(judge(kNow - hours(24 * 30), kNow).verdict, Verdict::ok) << "copied";
  EXPECT_EQ(judge(kNow + minutes(6), kNow).verdict, Verdict::fail);
}

TEST(Disk, NearlyFullWarnsAndFullFails) {
  EXPECT_EQ(judge_disk(50'000'000'000).verdict, Verdict::ok);
  EXPECT_EQ(judge_disk(500'000'000).verdict, Verdict::warn);
  EXPECT_EQ(judge_disk(5'000'000).verdict, Verdict::fail);
}

TEST(Clock, BesideAServerAllowsForItsWholeSeconds) {
  const auto judge = [&](Timestamp its) {
    return judge_clock_beside("x", its, kNow, kNow + seconds(1)).verdict;
  };
  EXPECT_EQ(judge(kNow), Verdict::ok);
  EXPECT_EQ(judge(kNow - seconds(2)), Verdict::ok);
  EXPECT_EQ(judge(kNow - seconds(8)), Verdict::warn);
  EXPECT_EQ(judge(kNow + seconds(8)), Verdict::warn);
  EXPECT_EQ(judge(kNow + minutes(7)), Verdict::fail);
  EXPECT_EQ(judge(kNow - minutes(7)), Verdict::fail);
}

TEST(Clock, ANewestRowOfTheFutureFails) {
  EXPECT_EQ(judge_newest("n", std::nullopt, kNow).verdict, Verdict::ok);
  EXPECT_EQ(judge_newest("n", kNow - hours(5), kNow).verdict, Verdict::ok);
  EXPECT_EQ(judge_newest("n", kNow + seconds(30), kNow).verdict, Verdict::warn);
  EXPECT_EQ(judge_newest("n", kNow + hours(1), kNow).verdict, Verdict::fail);
}

Verdict judged(const std::vector<PartitionCopies>& copies, std::size_t brokers,
               const char* min_in_sync) {
  return judge_topic("t", copies, brokers, {{"min.insync.replicas", min_in_sync}}).verdict;
}

TEST(Kafka, ATopicIsAsSafeAsItsCopies) {
  EXPECT_EQ(judged({{0, true, 1, 1}}, 1, "1"), Verdict::ok);
  EXPECT_EQ(judged({{0, true, 3, 3}, {1, true, 3, 3}}, 3, "2"), Verdict::ok);
  EXPECT_EQ(judged({{0, true, 3, 3}, {1, true, 3, 2}}, 3, "2"), Verdict::warn);
  EXPECT_EQ(judged({{0, true, 3, 1}}, 3, "2"), Verdict::fail);
  EXPECT_EQ(judged({{0, false, 3, 0}}, 3, "2"), Verdict::fail);
  EXPECT_EQ(judged({{0, true, 3, 3}}, 3, "3"), Verdict::warn);
  EXPECT_EQ(judged({{0, true, 1, 1}}, 3, "1"), Verdict::warn);
}

TEST(Kafka, TheTopicsRetentionIsHeldAgainstTheWish) {
  KafkaQuestions questions;
  const auto judge = [&](const char* ms) {
    return judge_topic_retention(questions, {{"retention.ms", ms}}).verdict;
  };
  EXPECT_EQ(judge("604800000"), Verdict::ok);
  EXPECT_EQ(judge("-1"), Verdict::ok);
  EXPECT_EQ(judge("3600000"), Verdict::warn);
  questions.retention = hours(1);
  EXPECT_EQ(judge("3600000"), Verdict::ok);
  EXPECT_EQ(judge("3599999"), Verdict::fail);
  EXPECT_EQ(judge_topic_retention(questions, {}).verdict, Verdict::skipped);
}

PartitionLag lag(std::int64_t committed, std::int64_t begin, std::int64_t end) {
  return {.place = {"t", 0}, .committed = committed, .begin = begin, .end = end};
}

TEST(Kafka, AGroupIsJudgedByMembersLagAndLoss) {
  const GroupDescription running{.exists = true, .members = 2, .may_read = true};
  const GroupDescription none{.exists = true, .members = 0, .may_read = true};
  EXPECT_EQ(judge_group("g", running, {lag(10, 0, 10)}).verdict, Verdict::ok);
  EXPECT_EQ(judge_group("g", running, {lag(10, 0, 10'000)}).verdict, Verdict::warn);
  EXPECT_EQ(judge_group("g", none, {lag(10, 0, 12)}).verdict, Verdict::fail);
  EXPECT_EQ(judge_group("g", none, {lag(-1, 0, 12)}).verdict, Verdict::warn)
      << "nobody has read yet";
  const Check lost = judge_group("g", running, {lag(10, 15, 20)});
  EXPECT_EQ(lost.verdict, Verdict::fail);
  EXPECT_NE(lost.found.find("5 records were removed"), std::string::npos) << lost.found;
  EXPECT_EQ(
      judge_group("g", {.exists = true, .members = 1, .may_read = false}, {lag(1, 0, 1)}).verdict,
      Verdict::fail);
}

TEST(Influx, ATokenIsJudgedByWhatItMay) {
  InfluxEndpoint endpoint;
  endpoint.address = *parse_influx_address("influxdb://h");
  endpoint.token_from = "the token in f";
  const auto judge = [&](unsigned write, unsigned read) {
    return judge_token(endpoint, write, read);
  };
  EXPECT_EQ(judge(204, 404).verdict, Verdict::ok);
  EXPECT_EQ(judge(204, 200).verdict, Verdict::ok);
  EXPECT_NE(judge(401, 401).found.find("the token in f"), std::string::npos);
  EXPECT_NE(judge(403, 200).advice.find("write-token"), std::string::npos);
  EXPECT_NE(judge(404, 404).found.find("no bucket"), std::string::npos);
  EXPECT_EQ(judge(403, 404).verdict, Verdict::fail);
  EXPECT_EQ(judge(500, 404).verdict, Verdict::fail);
}

TEST(Influx, ABucketIsHeldAgainstTheWish) {
  InfluxEndpoint endpoint;
  endpoint.address = *parse_influx_address("influxdb://h");
  const auto judge = [&](seconds kept, std::optional<seconds> wanted) {
    return judge_bucket(endpoint, {kept}, wanted).verdict;
  };
  EXPECT_EQ(judge(seconds(0), {}), Verdict::ok);
  EXPECT_EQ(judge(hours(1), {}), Verdict::warn);
  EXPECT_EQ(judge(hours(1), hours(1)), Verdict::ok);
  EXPECT_EQ(judge(hours(1), hours(2)), Verdict::fail);
  EXPECT_EQ(judge(hours(1), seconds(0)), Verdict::fail) << "for ever is wanted";
  EXPECT_EQ(judge(seconds(0), hours(2)), Verdict::ok);
}

}  // namespace
}  // namespace gpulse::doctor
