// Not our code, but what every stop here rests on, and what a compiler's library for Windows had
// wrong.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <stop_token>
#include <thread>

namespace gpulse {
namespace {

// Some nanoseconds a turn.
void spin(int turns) {
  std::atomic<int> count = 0;
  while (count.fetch_add(1, std::memory_order_relaxed) < turns) {
  }
}

TEST(StopCallback, ThatGoesWhileItIsCalledDoesNotWaitForEver) {
  using Clock = std::chrono::steady_clock;
  // On an idle machine some 200,000 times; the fault took a few thousand to many ten thousand.
  const auto until = Clock::now() + std::chrono::seconds(2);
  std::atomic<std::stop_source*> source = nullptr;  // to be stopped
  std::atomic<bool> done = false;
  const std::jthread stopper([&] {
    while (!done) {
      if (auto* const given = source.load()) {
        given->request_stop();
        source = nullptr;
      } else {
        std::this_thread::yield();
      }
    }
  });
  std::minstd_rand dice(1);
  int times = 0;
  for (; Clock::now() < until; ++times) {
    std::stop_source mine;
    std::atomic<bool> called = false;
    {
      const std::stop_callback callback(mine.get_token(), [&] {
        called = true;
        spin(100);
      });
      source = &mine;
      while (!called) std::this_thread::yield();
      spin(static_cast<int>(dice() % 300));
    }
    while (source.load() != nullptr) std::this_thread::yield();
  }
  done = true;
  EXPECT_GT(times, 0);
}

}  // namespace
}  // namespace gpulse
