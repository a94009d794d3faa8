#include "gpuz/event_clock.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "gpuz/cell.h"
#include "gpuz/test_reading.h"

namespace gpulse {
namespace {

std::int64_t local(std::string_view text) { return *parse_local_time(text); }

// The instants of some rows, "!" in front where a session begins.
std::vector<std::string> instants(std::string_view zone,
                                  const std::vector<std::string_view>& times) {
  EventClock clock(zone_named(zone));
  std::vector<std::string> found;
  for (const auto time : times) {
    const auto instant = clock.advance(local(time));
    found.push_back((instant.session_begins ? "!" : "") + to_rfc3339(instant.time).substr(5, 21));
  }
  return found;
}

using Texts = std::vector<std::string>;

TEST(EventClock, TurnsLocalTimeIntoUtc) {
  EXPECT_EQ(instants("Europe/Berlin", {"2023-06-16 10:17:08", "2023-06-16 10:17:09"}),
            (Texts{"!06-16T08:17:08.000000", "06-16T08:17:09.000000"}));
  EXPECT_EQ(instants("Asia/Kolkata", {"2023-06-16 10:17:08"}), (Texts{"!06-16T04:47:08.000000"}));
}

TEST(EventClock, RowsOfOneSecondAreMicrosecondsApart) {
  EXPECT_EQ(instants("UTC", {"2023-06-16 10:00:00", "2023-06-16 10:00:00", "2023-06-16 10:00:00",
                             "2023-06-16 10:00:01", "2023-06-16 10:00:01"}),
            (Texts{"!06-16T10:00:00.000000", "06-16T10:00:00.000001", "06-16T10:00:00.000002",
                   "06-16T10:00:01.000000", "06-16T10:00:01.000001"}));
}

TEST(EventClock, AStepOfMoreThanFiveMinutesBeginsASession) {
  EXPECT_EQ(instants("UTC", {"2023-06-16 10:00:00", "2023-06-16 10:05:00", "2023-06-16 10:10:01"}),
            (Texts{"!06-16T10:00:00.000000", "06-16T10:05:00.000000", "!06-16T10:10:01.000000"}));
}

TEST(EventClock, SecondsLivedAgainGetAMillisecondUpToTheLargest) {
  EXPECT_EQ(instants("UTC", {"2023-06-16 10:00:00", "2023-06-16 10:00:02", "2023-06-16 10:00:01",
                             "2023-06-16 10:00:01", "2023-06-16 10:00:02", "2023-06-16 10:00:03"}),
            (Texts{"!06-16T10:00:00.000000", "06-16T10:00:02.000000", "!06-16T10:00:01.001000",
                   "06-16T10:00:01.001001", "06-16T10:00:02.001000", "06-16T10:00:03.000000"}));
}

// The clock went past the largest second and back again: the second time it needs another
// millisecond.
TEST(EventClock, ASecondLivedAThirdTimeSharesNoInstantWithTheSecond) {
  EXPECT_EQ(instants("UTC", {"2023-06-16 10:00:05", "2023-06-16 10:00:03", "2023-06-16 10:00:06",
                             "2023-06-16 10:00:03", "2023-06-16 10:00:06", "2023-06-16 10:00:07"}),
            (Texts{"!06-16T10:00:05.000000", "!06-16T10:00:03.001000", "06-16T10:00:06.000000",
                   "!06-16T10:00:03.002000", "06-16T10:00:06.002000", "06-16T10:00:07.000000"}));
}

TEST(EventClock, InBerlinTheRepeatedHourIsToldByTheStepBack) {
  EXPECT_EQ(instants("Europe/Berlin",
                     {"2023-10-29 01:59:59", "2023-10-29 02:00:00", "2023-10-29 02:59:59",
                      "2023-10-29 02:00:00", "2023-10-29 02:59:59", "2023-10-29 03:00:00"}),
            (Texts{"!10-28T23:59:59.000000", "10-29T00:00:00.000000", "!10-29T00:59:59.000000",
                   "10-29T01:00:00.000000", "!10-29T01:59:59.000000", "10-29T02:00:00.000000"}));
}

TEST(EventClock, ASmallStepBackInTheRepeatedHourIsNoClockChange) {
  EXPECT_EQ(instants("Europe/Berlin", {"2023-10-29 02:30:00", "2023-10-29 02:00:01",
                                       "2023-10-29 02:31:00", "2023-10-29 02:01:00"}),
            (Texts{"!10-29T00:30:00.000000", "!10-29T00:00:01.001000", "!10-29T00:31:00.000000",
                   "!10-29T01:01:00.000000"}));
}

TEST(EventClock, ARowAfterTheRepeatedHourLeavesItForGood) {
  EXPECT_EQ(instants("Europe/Berlin", {"2023-10-29 02:59:00", "2023-10-29 02:01:00",
                                       "2023-10-29 03:00:00", "2024-10-27 02:30:00"}),
            (Texts{"!10-29T00:59:00.000000", "10-29T01:01:00.000000", "!10-29T02:00:00.000000",
                   "!10-27T00:30:00.000000"}));
}

TEST(EventClock, InSpringTheSkippedHourIsNoStep) {
  EXPECT_EQ(instants("Europe/Berlin", {"2023-03-26 01:59:59", "2023-03-26 03:00:00"}),
            (Texts{"!03-26T00:59:59.000000", "03-26T01:00:00.000000"}));
}

TEST(EventClock, ATimeThatTheChangeSkipsHasTheOffsetBeforeIt) {
  EXPECT_EQ(instants("Europe/Berlin",
                     {"2023-03-26 01:59:59", "2023-03-26 02:00:00", "2023-03-26 02:00:01"}),
            (Texts{"!03-26T00:59:59.000000", "03-26T01:00:00.000000", "03-26T01:00:01.000000"}));
}

// Its change is half an hour, so half of that tells it.
TEST(EventClock, OnLordHoweTheChangeIsHalfAnHour) {
  EXPECT_EQ(instants("Australia/Lord_Howe",
                     {"2023-04-02 01:29:00", "2023-04-02 01:59:00", "2023-04-02 01:30:00",
                      "2023-04-02 01:59:59", "2023-04-02 02:00:00"}),
            (Texts{"!04-01T14:29:00.000000", "!04-01T14:59:00.000000", "04-01T15:00:00.000000",
                   "!04-01T15:29:59.000000", "04-01T15:30:00.000000"}));
}

TEST(EventClock, ContinuesSaysWhatAdvanceDoes) {
  EventClock clock(zone_named("Europe/Berlin"));
  const std::int64_t start = local("2023-06-16 10:00:00");
  EXPECT_FALSE(clock.continues(start));
  static_cast<void>(clock.advance(start));
  EXPECT_TRUE(clock.continues(start));
  EXPECT_TRUE(clock.continues(start + EventClock::kStepMax));
  EXPECT_FALSE(clock.continues(start + EventClock::kStepMax + 1));
  EXPECT_FALSE(clock.continues(start - 1));
}

// Rows of a PC whose clock wanders, jumps and is set back, about a change of Berlin's clocks.
std::vector<std::int64_t> wandering(std::mt19937& random) {
  std::int64_t now = local(random() % 2 == 0 ? "2023-10-29 01:30:00" : "2023-03-26 01:30:00");
  std::vector<std::int64_t> times;
  for (int i = 0; i < 400; ++i) {
    const auto dice = random() % 100;
    now += dice < 10   ? 0
           : dice < 14 ? -static_cast<std::int64_t>(random() % 40)
           : dice < 16 ? -static_cast<std::int64_t>(random() % 4000)
           : dice < 30 ? static_cast<std::int64_t>(random() % 400)
                       : 1 + static_cast<std::int64_t>(random() % 20);
    times.push_back(now);
  }
  return times;
}

TEST(EventClock, NoTwoRowsShareAnInstant) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    EventClock clock(zone_named("Europe/Berlin"));
    std::set<Timestamp> seen;
    Timestamp before = Timestamp::min();
    for (const std::int64_t time : wandering(random)) {
      const auto instant = clock.advance(time);
      ASSERT_TRUE(seen.insert(instant.time).second) << to_rfc3339(instant.time);
      ASSERT_TRUE(instant.session_begins || instant.time > before) << to_rfc3339(instant.time);
      before = instant.time;
    }
  }
}

TEST(EventClock, GoesOnFromItsStateAtEveryRow) {
  std::mt19937 random(11);
  for (int round = 0; round < 20; ++round) {
    EventClock undisturbed(zone_named("Europe/Berlin"));
    EventClockState state;
    for (const std::int64_t time : wandering(random)) {
      EventClock resumed(zone_named("Europe/Berlin"), state);
      const auto expected = undisturbed.advance(time);
      const auto found = resumed.advance(time);
      ASSERT_EQ(found.time, expected.time);
      ASSERT_EQ(found.session_begins, expected.session_begins);
      ASSERT_EQ(resumed.state(), undisturbed.state());
      state = resumed.state();
    }
  }
}

// A clock that is set back every hour for years still gives instants that ascend within a session.
TEST(EventClock, ThousandsOfStepsBackNeverReachTheNextSecond) {
  EventClock clock(zone_named("UTC"));
  Timestamp before = Timestamp::min();
  std::int64_t now = local("2023-06-16 10:00:00");
  for (int step = 0; step < 3000; ++step) {
    for (const int second : {0, 1, 2, 3}) {
      const auto instant = clock.advance(now + second);
      ASSERT_TRUE(instant.session_begins || instant.time > before) << step;
      before = instant.time;
    }
    now += 2;
  }
}

}  // namespace
}  // namespace gpulse
