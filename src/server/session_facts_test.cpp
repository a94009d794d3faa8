#include "server/session_facts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "server/test_world.h"

namespace gpulse {
namespace {

using test::at;
using test::kAbsent;

const Device kRig{"rig", "gpu0"};

std::vector<test::TestColumn> columns(const std::vector<double>& power) {
  std::vector<double> temperature;
  for (std::size_t row = 0; row < power.size(); ++row) {
    temperature.push_back(40 + static_cast<double>(row % 30));
  }
  return {{{"gpu_temperature", "°C"}, 1, temperature}, {{"board_power_draw", "W"}, 1, power}};
}

TEST(SessionFacts, OfASessionThatGrewOnlyTheNewRowsAreRead) {
  test::TestHistory history;
  history.add_session(kRig, "log", 0, 0, columns(std::vector<double>(1000, 360.0)));
  std::vector<ScanRequest> requests;
  history.on_scan = [&](const ScanRequest& request) { requests.push_back(request); };
  SessionFactsCache cache;
  auto sessions = *history.sessions(kRig);
  SessionRecord shorter = sessions[0];
  shorter.rows = 600;
  shorter.last = at(599);
  const auto before = cache.get(history, std::vector{shorter});
  ASSERT_TRUE(before);
  EXPECT_DOUBLE_EQ(*before->at(0).energy_kwh, 0.06);
  const auto after = cache.get(history, sessions);
  ASSERT_TRUE(after);
  EXPECT_DOUBLE_EQ(*after->at(0).energy_kwh, 0.1);
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_GT(requests[1].from, at(599));
  ASSERT_TRUE(cache.get(history, sessions));
  EXPECT_EQ(requests.size(), 2U);
}

TEST(SessionFacts, ACallReadsSoManyRowsAndTheNextGoesOn) {
  test::TestHistory history;
  for (int i = 0; i < 3; ++i) {
    history.add_session(kRig, "log", std::int64_t{1000} * i, 2000.0 * i,
                        columns(std::vector<double>(1000, 360.0)));
  }
  SessionFactsCache cache(1000);
  const auto sessions = *history.sessions(kRig);
  for (std::size_t calls = 1; calls <= 3; ++calls) {
    const auto facts = cache.get(history, sessions);
    ASSERT_TRUE(facts);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(facts->at(i).energy_kwh.has_value(), i + calls >= 3) << i << " after " << calls;
    }
  }
}

TEST(SessionFacts, ASessionThatRetentionShortenedIsReadAnew) {
  test::TestHistory whole;
  whole.add_session(kRig, "log", 0, 0, columns(std::vector<double>(1000, 360.0)));
  test::TestHistory rest;
  rest.add_session(kRig, "log", 0, 500, columns(std::vector<double>(500, 720.0)));
  SessionFactsCache cache;
  ASSERT_TRUE(cache.get(whole, *whole.sessions(kRig)));
  const auto facts = cache.get(rest, *rest.sessions(kRig));
  ASSERT_TRUE(facts);
  EXPECT_DOUBLE_EQ(*facts->at(0).energy_kwh, 0.1);
}

// Whichever pieces the rows come in, the sums are those of the whole at once.
TEST(SessionFacts, LongStepsCountUpToTheGapLimitOfTheWholeSession) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<Timestamp> times{at(0)};
    std::vector<double> power;
    const int rows = 2 + static_cast<int>(random() % 200);
    const auto usual = 1 + static_cast<int>(random() % 20);
    for (int row = 0; row < rows; ++row) {
      const int step = random() % 10 == 0 ? static_cast<int>(random() % 300) + 1 : usual;
      if (row > 0) times.push_back(times.back() + std::chrono::seconds{step});
      power.push_back(random() % 8 == 0 ? kAbsent : static_cast<double>(random() % 300));
    }
    SessionRecord session;
    session.first = times.front();
    session.last = times.back();
    session.rows = rows;
    double joules = 0;
    for (std::size_t row = 0; row < power.size(); ++row) {
      if (std::isnan(power[row])) continue;
      const auto duration = row + 1 < times.size()
                                ? std::min(times[row + 1] - times[row], session.gap_limit())
                                : session.usual_step();
      joules += power[row] * std::chrono::duration<double>(duration).count();
    }
    SessionSums sums;
    for (std::size_t begin = 0; begin < times.size();) {
      const std::size_t size = std::min<std::size_t>(times.size() - begin, 1 + random() % 20);
      const std::vector<std::span<const double>> values{
          {}, std::span(power).subspan(begin, size), {}, {}};
      sums.add({&session, std::span(times).subspan(begin, size), values});
      begin += size;
    }
    EXPECT_NEAR(sums.facts(session).energy_kwh.value_or(0), joules / 3.6e6, 1e-12) << round;
  }
}

}  // namespace
}  // namespace gpulse
