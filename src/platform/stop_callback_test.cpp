// Not our code, but what every stop here rests on, and what a compiler's library for Windows had
// wrong.
#include <gtest/gtest.h>

#include <atomic>
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
  constexpr int kTimes = 200'000;
  std::atomic<std::stop_source*> source = nullptr;
  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;
  const std::jthread stopper([&] {
    for (int i = 1; i <= kTimes; ++i) {
      while (begun != i) std::this_thread::yield();
      source.load()->request_stop();
      ended = i;
    }
  });
  std::minstd_rand dice(1);
  for (int i = 1; i <= kTimes; ++i) {
    std::stop_source mine;
    source = &mine;
    std::atomic<bool> called = false;
    {
      const std::stop_callback callback(mine.get_token(), [&] {
        called = true;
        spin(100);
      });
      begun = i;
      while (!called) std::this_thread::yield();
      spin(static_cast<int>(dice() % 300));
    }
    while (ended != i) std::this_thread::yield();
  }
}

}  // namespace
}  // namespace gpulse
