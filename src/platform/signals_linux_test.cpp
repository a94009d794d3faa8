#include "platform/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <future>

namespace gpulse {
namespace {

constexpr std::chrono::seconds kPatience{20};

// A test that runs in the background of a shell finds SIGINT ignored.
class Disposition {
 public:
  Disposition(int number, void (*handler)(int)) : number_(number) {
    struct sigaction action{};
    action.sa_handler = handler;
    sigaction(number, &action, &before_);
  }
  ~Disposition() { sigaction(number_, &before_, nullptr); }
  Disposition(const Disposition&) = delete;
  Disposition& operator=(const Disposition&) = delete;

 private:
  int number_;
  struct sigaction before_{};
};

class Stop {
 public:
  explicit Stop(std::function<void()> then = [] {})
      : signals_(StopSignals::listen([this, then] {
          ++calls_;
          called_.set_value();
          then();
        })) {}

  bool listens() const { return signals_.has_value(); }
  bool comes() { return called_.get_future().wait_for(kPatience) == std::future_status::ready; }
  int calls() const { return calls_; }

 private:
  std::atomic<int> calls_ = 0;  // before signals_, whose thread counts it
  std::promise<void> called_;
  Expected<std::unique_ptr<StopSignals>> signals_;
};

TEST(StopSignals, EachOfThemCallsOnce) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    const Disposition taken(number, SIG_DFL);
    Stop stop;
    ASSERT_TRUE(stop.listens());
    kill(getpid(), number);
    EXPECT_TRUE(stop.comes()) << number;
    EXPECT_EQ(stop.calls(), 1);
  }
}

TEST(StopSignals, WithoutASignalNothingIsCalledAndItEnds) {
  int calls = 0;
  {
    const auto listening = StopSignals::listen([&] { ++calls; });
  }
  EXPECT_EQ(calls, 0);
}

TEST(StopSignals, AnIgnoredSignalStaysIgnored) {
  const Disposition ignored(SIGHUP, SIG_IGN);
  Stop stop;
  kill(getpid(), SIGHUP);
  kill(getpid(), SIGTERM);  // would be the second one, and the end, had the first been taken
  EXPECT_TRUE(stop.comes());
  EXPECT_EQ(stop.calls(), 1);
}

TEST(StopSignals, TheMaskIsAsBeforeAfterwards) {
  {
    Stop stop;
  }
  sigset_t mask;
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, nullptr, &mask), 0);
  EXPECT_EQ(sigismember(&mask, SIGINT), 0);
  EXPECT_EQ(sigismember(&mask, SIGTERM), 0);
}

TEST(StopSignalsDeathTest, ASecondSignalEndsTheProcessEvenWhileStopping) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto be_impatient = [] {
    const Disposition taken(SIGINT, SIG_DFL);
    std::promise<void> promise;
    const std::shared_future<void> never = promise.get_future().share();
    Stop stop([never] { never.wait(); });
    kill(getpid(), SIGINT);
    if (!stop.comes()) _exit(1);
    kill(getpid(), SIGINT);
    never.wait();
  };
  EXPECT_EXIT(be_impatient(), testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace gpulse
