#include "pipeline/log_feed.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <random>
#include <set>
#include <vector>

#include "stream/alert.h"

namespace gpulse {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 30s;
const std::string kHeader = "        Date        , GPU Temperature [C] , Memory Used [MB] ,\r\n";
const Timestamp kStart = std::chrono::sys_days{std::chrono::year{2024} / 5 / 6} + 7h;

std::string row(int mark) {
  const std::int64_t seconds = to_microseconds(kStart) / 1'000'000 + mark;
  const std::string time = to_rfc3339(from_microseconds(seconds * 1'000'000));
  return fmt::format("{} {} ,       63.0   ,       {:5d}   ,\r\n", time.substr(0, 10),
                     time.substr(11, 8), mark);
}

std::string rows(int from, int to) {
  std::string text;
  for (int mark = from; mark < to; ++mark) text += row(mark);
  return text;
}

class SetClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return from_microseconds(now_); }
  void set(Timestamp now) { now_ = to_microseconds(now); }

 private:
  std::atomic<std::int64_t> now_ = to_microseconds(kStart + 1h);
};

// What the store and the feed tell, to be waited for.
class Witness final : public StoreListener {
 public:
  void on_rows(const SampleBatch& rows) override {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      marks_.insert(static_cast<int>(rows.columns[1].value(i)));
    }
    news_.notify_all();
  }
  void on_windows(const std::vector<Window>& /*windows*/) override {}
  void on_alerts(const std::vector<Alert>& /*alerts*/) override {}
  void on_device(const Device& /*device*/) override {}

  void note(LogFeed::Notice notice, const std::string& detail) {
    const std::lock_guard lock(mutex_);
    notices_.emplace_back(notice, detail);
    news_.notify_all();
  }

  // Waits until so many rows came in all; what came.
  std::multiset<int> marks(std::size_t count) {
    std::unique_lock lock(mutex_);
    news_.wait_for(lock, kPatience, [&] { return marks_.size() >= count; });
    return marks_;
  }
  // Waits for such a notice; its detail.
  std::optional<std::string> notice(LogFeed::Notice wanted) {
    std::unique_lock lock(mutex_);
    const auto found = [&] {
      return std::ranges::find(notices_, wanted, &std::pair<LogFeed::Notice, std::string>::first);
    };
    if (!news_.wait_for(lock, kPatience, [&] { return found() != notices_.end(); })) {
      return std::nullopt;
    }
    return found()->second;
  }
  void forget_notices() {
    const std::lock_guard lock(mutex_);
    notices_.clear();
  }

 private:
  std::mutex mutex_;
  std::condition_variable news_;
  std::multiset<int> marks_;
  std::vector<std::pair<LogFeed::Notice, std::string>> notices_;
};

std::multiset<int> numbers(int from, int to) {
  std::multiset<int> all;
  for (int mark = from; mark < to; ++mark) all.insert(mark);
  return all;
}

class LogFeedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    open();
  }
  void TearDown() override {
    stop();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void open() {
    StoreOptions options;
    options.folder = folder_ / "data";
    const auto rules = default_alert_rules();
    options.rules.assign(rules.begin(), rules.end());
    auto store = Store::open(std::move(options), clock_);
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
    store_->set_listener(&witness_);
  }

  void start(const char* zone = "UTC", bool rezone = false) {
    feed_ = std::make_unique<LogFeed>(
        *store_, clock_, LogFeedOptions{log_, {"rig", "gpu0"}, *TimeZone::find(zone), rezone},
        [this](LogFeed::Notice notice, const std::string& detail) {
          witness_.note(notice, detail);
        });
    thread_ = std::jthread([this](const std::stop_token& stop) {
      ended_ = feed_->run(stop);
      witness_.note(LogFeed::Notice::trouble, "ended");
    });
  }
  void stop() {
    thread_ = {};
    feed_.reset();
  }
  void restart() {
    stop();
    store_.reset();
    open();
    start();
  }

  void write(const std::string& text, std::ios::openmode mode = std::ios::app) const {
    std::ofstream(log_, std::ios::binary | mode) << text;
  }

  [[nodiscard]] DeviceState state() const {
    const auto devices = store_->devices();
    EXPECT_TRUE(devices && devices->size() == 1);
    return devices->front().state;
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) /
      (std::string("gpulse-feed-") +
       ::testing::UnitTest::GetInstance()->current_test_info()->name());
  const std::filesystem::path log_ = folder_ / "log.txt";
  SetClock clock_;
  Witness witness_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<LogFeed> feed_;
  std::jthread thread_;
  Expected<void> ended_;
};

TEST_F(LogFeedTest, TellsOfTheWaysOfALog) {
  start();
  EXPECT_TRUE(witness_.notice(LogFeed::Notice::waiting));
  write(kHeader + row(0));
  EXPECT_TRUE(witness_.notice(LogFeed::Notice::opened));
  EXPECT_TRUE(witness_.notice(LogFeed::Notice::caught_up));
  EXPECT_EQ(witness_.marks(1), numbers(0, 1));
  std::filesystem::rename(log_, folder_ / "old");
  write(kHeader + row(1));
  EXPECT_TRUE(witness_.notice(LogFeed::Notice::replaced));
  EXPECT_EQ(witness_.marks(2), numbers(0, 2));
  witness_.forget_notices();
  write(kHeader + rows(2, 4), std::ios::trunc);
  EXPECT_TRUE(witness_.notice(LogFeed::Notice::rewritten));
  EXPECT_EQ(witness_.marks(4), numbers(0, 4));
}

TEST_F(LogFeedTest, AnotherZoneEndsItUnlessAllIsReadAgain) {
  write(kHeader + rows(0, 3));
  start();
  EXPECT_EQ(witness_.marks(3).size(), 3);
  stop();
  witness_.forget_notices();
  start("Europe/Berlin");
  EXPECT_EQ(witness_.notice(LogFeed::Notice::trouble), "ended");
  ASSERT_FALSE(ended_);
  EXPECT_EQ(ended_.error().kind, ErrorKind::usage);
  EXPECT_TRUE(ended_.error().message.contains("--rezone")) << ended_.error().message;
  stop();
  start("Europe/Berlin", true);
  EXPECT_EQ(witness_.marks(6).size(), 6);
  const auto sources = store_->sources();
  ASSERT_TRUE(sources && sources->size() == 1);
  EXPECT_EQ(sources->front().rows, 3);
  EXPECT_EQ(sources->front().first, kStart - 2h);
}

TEST_F(LogFeedTest, ACopyOfALogThatIsFollowedIsToldSo) {
  write(kHeader + rows(0, 3));
  std::filesystem::copy_file(log_, folder_ / "copy.txt");
  start();
  EXPECT_EQ(witness_.marks(3).size(), 3);
  Witness other;
  LogFeed second(
      *store_, clock_, {folder_ / "copy.txt", {"rig", "copy"}, *TimeZone::find("UTC"), false},
      [&](LogFeed::Notice notice, const std::string& detail) { other.note(notice, detail); });
  std::jthread thread([&](const std::stop_token& token) { static_cast<void>(second.run(token)); });
  const auto trouble = other.notice(LogFeed::Notice::trouble);
  ASSERT_TRUE(trouble);
  EXPECT_TRUE(trouble->contains("is the same log as")) << *trouble;
  thread = {};
  write(row(3));
  EXPECT_EQ(witness_.marks(4), numbers(0, 4));
}

TEST_F(LogFeedTest, LiveWhileItGrowsThenStaleThenLiveAgain) {
  write(kHeader + rows(0, 30));
  clock_.set(kStart + 29s);
  start();
  EXPECT_TRUE(witness_.notice(LogFeed::Notice::caught_up));
  EXPECT_EQ(state(), DeviceState::live);
  clock_.set(kStart + 30s);
  write(row(30));
  EXPECT_EQ(witness_.marks(31).size(), 31);
  EXPECT_EQ(state(), DeviceState::live);
  clock_.set(kStart + 45s);
  EXPECT_EQ(state(), DeviceState::stale);
  clock_.set(kStart + 24h);  // it grew while followed: it is never ended, only stale
  EXPECT_EQ(state(), DeviceState::stale);
  write(row(31));
  EXPECT_EQ(witness_.marks(32).size(), 32);
  EXPECT_EQ(state(), DeviceState::live);
}

TEST_F(LogFeedTest, EndedWhenItsRowsAreOldAndNoneCame) {
  write(kHeader + rows(0, 30));
  clock_.set(kStart + 29s + 5min + 1s);
  start();
  EXPECT_TRUE(witness_.notice(LogFeed::Notice::caught_up));
  EXPECT_EQ(state(), DeviceState::ended);
  write(row(30));
  EXPECT_EQ(witness_.marks(31).size(), 31);
  EXPECT_EQ(state(), DeviceState::live);
  clock_.set(kStart + 1h);
  EXPECT_EQ(state(), DeviceState::stale);
  restart();
  EXPECT_TRUE(witness_.notice(LogFeed::Notice::caught_up));
  EXPECT_EQ(state(), DeviceState::ended);
}

// A writer that does what writers do, at random, with restarts of the program between; every row
// that it ever wrote must be there as often as it was written.
class RandomLife : public LogFeedTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  void live(unsigned seed) {
    random_.seed(seed);
    begin_anew();
    start();
    for (int step = 0; step < 40; ++step) {
      SCOPED_TRACE(fmt::format("seed {} step {}", seed, step));
      do_something();
      if (HasFatalFailure()) return;
    }
    await_all();
  }

 private:
  int roll(int sides) { return std::uniform_int_distribution(0, sides - 1)(random_); }

  std::string next_rows() {
    const int from = std::exchange(mark_, mark_ + 1 + roll(4));
    for (int mark = from; mark < mark_; ++mark) expected_.insert(mark);
    return rows(from, mark_);
  }

  void await_all() {
    const auto found = witness_.marks(expected_.size());
    std::vector<int> missing;
    std::ranges::set_difference(expected_, found, std::back_inserter(missing));
    std::vector<int> doubled;
    std::ranges::set_difference(found, expected_, std::back_inserter(doubled));
    ASSERT_TRUE(missing.empty() && doubled.empty())
        << fmt::format("missing: {}; more than once: {}; what was done:\n{}",
                       fmt::join(missing, " "), fmt::join(doubled, " "), history_);
  }

  void note(std::string_view what) { history_ += fmt::format("{} (mark {}), ", what, mark_); }

  void begin_anew() {
    content_ = kHeader + next_rows();
    write(content_, std::ios::trunc);
  }

  void grow() {
    const std::string text = next_rows();
    const auto cut = static_cast<std::size_t>(roll(static_cast<int>(text.size())));
    write(text.substr(0, cut));
    note(fmt::format("grow, cut at {} of {}", cut, text.size()));
    if (roll(3) == 0) {
      note("restart");
      restart();
    }
    write(text.substr(cut));
    content_ += text;
  }

  // What is about to be destroyed has to have been read.
  void do_something() {
    clock_.set(clock_.now() + 1s);
    const int what = roll(8);
    if (what >= 3) return grow();
    await_all();
    if (HasFatalFailure()) return;
    switch (what) {
      case 0:
        note("rename");
        std::filesystem::rename(log_, folder_ / fmt::format("log.{}", mark_));
        return begin_anew();
      case 1: {
        note("anew or copy");
        if (roll(2) == 0) return begin_anew();
        content_ += next_rows();  // a longer copy takes its name
        note("copy");
        std::ofstream(folder_ / "copy", std::ios::binary) << content_;
        return std::filesystem::rename(folder_ / "copy", log_);
      }
      default: {
        const auto size = std::filesystem::file_size(log_);
        note("empty");
        std::filesystem::resize_file(log_, 0);
        if (roll(2) == 0) return begin_anew();
        std::filesystem::resize_file(log_, size);  // its writer goes on at its old place
        content_.assign(size, '\0');
        note("NULs");
        return grow();
      }
    }
  }

  std::mt19937 random_;
  int mark_ = 0;
  std::string content_;
  std::string history_;
  std::multiset<int> expected_;
};

TEST_P(RandomLife, LosesAndDoublesNothing) {
  if (std::filesystem::path::preferred_separator != '/') {
    GTEST_SKIP() << "its writer replaces what it holds open, which Windows does not allow; "
                    "tests/windows/sharing_test.py has what does happen there";
  }
  live(GetParam());
}

// GPULSE_RANDOM_LIVES=500 for a long run.
unsigned lives() {
  const char* wished =
      std::getenv("GPULSE_RANDOM_LIVES");  // NOLINT(concurrency-mt-unsafe): at start
  return wished == nullptr ? 12U : static_cast<unsigned>(std::stoul(wished));
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomLife, ::testing::Range(0U, lives()));

}  // namespace
}  // namespace gpulse
