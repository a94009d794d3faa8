#include "stream/window.h"

#include <gtest/gtest.h>

#include <map>

#include "stream/test_rows.h"

namespace gpulse {
namespace {

constexpr Timestamp kLater = Timestamp{std::chrono::days{30'000}};

struct Fixture {
  explicit Fixture(WindowOptions options = {}) : windows(options) {}

  // One row with one reading, as a batch of its own.
  void row(std::int64_t second, std::int64_t tenths, std::int64_t session = 1,
           Timestamp now = kLater) {
    windows.push(test_batch({{session, at_second(second), {tenths}}}, 0, 1, layout), now, out);
  }
  std::vector<Window> take() { return std::exchange(out, {}); }

  LayoutPtr layout = test_layout({"gpu_temperature"});
  WindowAggregator windows;
  std::vector<Window> out;
};

TEST(Window, AreAlignedTo1970AndFinalAMinuteBehindTheNewestRow) {
  Fixture f;
  f.row(45, 630);
  f.row(59, 650);
  f.row(60, 700);
  f.row(119, 700);
  EXPECT_TRUE(f.take().empty());
  f.row(120, 700);
  const auto out = f.take();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].begin, at_second(30));
  EXPECT_EQ(out[0].end, at_second(60));
  EXPECT_EQ(out[0].rows, 2);
  EXPECT_TRUE(out[0].final);
  EXPECT_EQ(out[0].session, 1);
  EXPECT_EQ(out[0].device.gpu, "gpu0");
  EXPECT_EQ(out[0].source, "source");
  ASSERT_EQ(out[0].metrics.size(), 1U);
  EXPECT_EQ(out[0].metrics[0].count, 2);
  EXPECT_EQ(out[0].metrics[0].mean, 64.0);
  EXPECT_EQ(out[0].metrics[0].min, 63.0);
  EXPECT_EQ(out[0].metrics[0].max, 65.0);
}

TEST(Window, BeforeOneNineSevenZeroTheyAreAlignedToo) {
  Fixture f;
  f.row(-1, 630);
  f.windows.flush(f.out);
  EXPECT_EQ(f.take()[0].begin, at_second(-30));
}

TEST(Window, TheEndOfTheSessionMakesAllFinal) {
  Fixture f;
  f.row(10, 630);
  f.row(40, 630);
  f.row(50, 640, 2);
  const auto ended = f.take();
  ASSERT_EQ(ended.size(), 2U);
  EXPECT_EQ(ended[0].begin, at_second(0));
  EXPECT_EQ(ended[1].begin, at_second(30));
  EXPECT_EQ(ended[1].session, 1);
  f.windows.flush(f.out);
  EXPECT_EQ(f.take()[0].session, 2);
  f.windows.flush(f.out);
  EXPECT_TRUE(f.take().empty());
}

TEST(Window, SilencePublishesProvisionallyAndALaterRowReplaces) {
  Fixture f;
  f.row(10, 630);
  f.windows.publish_provisional(f.out);
  const auto first = f.take();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_FALSE(first[0].final);
  f.windows.publish_provisional(f.out);
  EXPECT_TRUE(f.take().empty()) << "nothing changed in between";
  f.row(12, 650);
  f.windows.publish_provisional(f.out);
  const auto second = f.take();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].begin, first[0].begin);
  EXPECT_EQ(second[0].rows, 2);
  f.windows.flush(f.out);
  EXPECT_TRUE(f.take()[0].final);
}

TEST(Window, ARowFarAheadOfTheClockMakesNothingFinal) {
  Fixture f;
  f.row(10, 630, 1, at_second(10));
  f.row(310, 630, 1, at_second(9));
  EXPECT_TRUE(f.take().empty()) << "301 s ahead of the clock";
  f.row(311, 630, 1, at_second(11));
  EXPECT_EQ(f.take().size(), 1U) << "300 s ahead is still believed";
}

TEST(Window, RowsAheadOfTheClockDoNotPileUpWindowsForEver) {
  WindowOptions options;
  options.open_windows_max = 5;
  Fixture f(options);
  for (std::int64_t second = 100'000; second < 100'600; second += 10) {
    f.row(second, 630, 1, at_second(0));
  }
  const auto closed = f.take();
  EXPECT_EQ(closed.size(), 21U - 5U);
  f.windows.flush(f.out);
  EXPECT_EQ(f.take().size(), 5U);
}

TEST(Window, ARowOfAFinalWindowIsLeftOut) {
  Fixture f;
  f.row(10, 630);
  f.row(200, 630);
  EXPECT_EQ(f.take().size(), 1U);
  f.row(11, 990);
  f.windows.flush(f.out);
  const auto out = f.take();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].begin, at_second(180));
}

TEST(Window, ARowOfAnEarlierOpenWindowIsTaken) {
  Fixture f;
  f.row(40, 630);
  f.row(10, 650);
  f.windows.flush(f.out);
  const auto out = f.take();
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[0].begin, at_second(0));
  EXPECT_EQ(out[0].metrics[0].mean, 65.0);
}

TEST(Window, ARowWithoutReadingsCountsAsARow) {
  Fixture f;
  f.windows.push(test_batch({{1, at_second(10), {std::nullopt}}}, 0, 1, f.layout), kLater, f.out);
  f.windows.flush(f.out);
  const auto out = f.take();
  EXPECT_EQ(out[0].rows, 1);
  EXPECT_EQ(out[0].metrics[0].count, 0);
}

std::string text_of(const Window& window) {
  std::string text = std::to_string(window.session) + " " + to_rfc3339(window.begin) + " " +
                     std::to_string(window.rows) + (window.final ? " final" : " open");
  char buffer[128];
  for (const auto& metric : window.metrics) {
    // %a: every bit counts.
    std::snprintf(buffer, sizeof buffer, " %lld,%a,%a,%a", static_cast<long long>(metric.count),
                  metric.mean, metric.min, metric.max);
    text += buffer;
  }
  return text;
}

std::vector<std::string> finals_of(const std::vector<Window>& windows) {
  std::vector<std::string> texts;
  for (const auto& window : windows) {
    if (window.final) texts.push_back(text_of(window));
  }
  return texts;
}

TEST(Window, SameHoweverTheRowsAreCutAndWhereverItIsKilledAndRestored) {
  std::mt19937 random(3);
  const auto layout = test_layout({"gpu_temperature", "hot_spot_temperature", "gpu_load"});
  for (int round = 0; round < 60; ++round) {
    const auto rows = random_rows(1'500, 3, random);
    std::vector<Window> expected;
    WindowAggregator undisturbed;
    for (const auto& [from, to] : random_cuts(rows, 4'000, random)) {
      undisturbed.push(test_batch(rows, from, to, layout), kLater, expected);
    }
    undisturbed.flush(expected);

    std::vector<Window> got;
    WindowAggregator running;
    for (const auto& [from, to] : random_cuts(rows, 90, random)) {
      WindowAggregator restarted;
      // Equal columns, but not the same object: that is how a store gives them back.
      const auto kept = std::make_shared<const Layout>(*layout);
      ASSERT_TRUE(restarted.restore(running.save(), {"rig", "gpu0"}, "source", kept));
      if (random() % 4 == 0) restarted.publish_provisional(got);
      restarted.push(test_batch(rows, from, to, layout), kLater, got);
      running = std::move(restarted);
    }
    running.flush(got);
    ASSERT_EQ(finals_of(got), finals_of(expected)) << "round " << round;
    ASSERT_GT(expected.size(), 30U);
  }
}

TEST(Window, WhatWasPublishedAndUnchangedIsNotPublishedAgainAfterARestart) {
  Fixture f;
  f.row(10, 630);
  f.windows.publish_provisional(f.out);
  f.take();
  WindowAggregator restarted;
  ASSERT_TRUE(restarted.restore(f.windows.save(), {"rig", "gpu0"}, "source", f.layout));
  restarted.publish_provisional(f.out);
  EXPECT_TRUE(f.take().empty());
  f.row(12, 640);
  ASSERT_TRUE(restarted.restore(f.windows.save(), {"rig", "gpu0"}, "source", f.layout));
  restarted.publish_provisional(f.out);
  EXPECT_EQ(f.take().size(), 1U);
}

TEST(Window, RestoresBetweenSessionsWithoutALayout) {
  WindowAggregator fresh;
  WindowAggregator restarted;
  EXPECT_TRUE(restarted.restore(fresh.save(), {"rig", "gpu0"}, "source", nullptr));
}

TEST(Window, AStateOfAnotherLengthOrLayoutIsRefusedInWords) {
  Fixture f;
  f.row(10, 630);
  WindowOptions options;
  options.length = std::chrono::seconds{10};
  const auto length =
      WindowAggregator(options).restore(f.windows.save(), {"rig", "gpu0"}, "source", f.layout);
  ASSERT_FALSE(length);
  EXPECT_EQ(length.error().message, "the kept windows are 30 s long, not 10");
  const auto layout = WindowAggregator().restore(f.windows.save(), {"rig", "gpu0"}, "source",
                                                 test_layout({"a", "b"}));
  ASSERT_FALSE(layout);
  EXPECT_EQ(layout.error().kind, ErrorKind::input);
  EXPECT_FALSE(WindowAggregator().restore(f.windows.save(), {"rig", "gpu0"}, "source", nullptr));
}

TEST(Window, ADamagedStateIsAnErrorOrAStateNeverACrash) {
  std::mt19937 random(5);
  const auto rows = random_rows(200, 1, random);
  Fixture f;
  for (const auto& [from, to] : random_cuts(rows, 50, random)) {
    f.windows.push(test_batch(rows, from, to, f.layout), kLater, f.out);
  }
  const std::string whole = f.windows.save();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    WindowAggregator aggregator;
    ASSERT_FALSE(aggregator.restore(whole.substr(0, size), {"rig", "gpu0"}, "source", f.layout))
        << size << " bytes of it";
    std::vector<Window> out;
    aggregator.flush(out);
    EXPECT_TRUE(out.empty());
  }
  EXPECT_FALSE(WindowAggregator().restore(whole + "x", {"rig", "gpu0"}, "source", f.layout));
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = whole;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    WindowAggregator aggregator;
    const bool taken = aggregator.restore(damaged, {"rig", "gpu0"}, "source", f.layout).has_value();
    aggregator.push(test_batch(rows, 0, 1, f.layout), kLater, f.out);
    aggregator.flush(f.out);
    if (taken) continue;
    EXPECT_EQ(f.out.back().rows, 1) << "nothing of a refused state is left";
  }
}

}  // namespace
}  // namespace gpulse
