#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "store/window_codec.h"

namespace gpulse {
namespace {

Window random_window(std::mt19937& random) {
  Window window;
  for (std::size_t i = 0; i < 12; ++i) {
    WindowStatistics metric;
    metric.count = random() % 4 == 0 ? 0 : 1 + static_cast<std::int64_t>(random() % 300);
    if (metric.count > 0) {
      metric.min = static_cast<double>(random() % 1000) / 10;
      metric.max = random() % 2 == 0 ? metric.min : metric.min + 2.5;
      metric.mean = random() % 2 == 0 ? metric.min : (metric.min + metric.max) / 2;
    }
    window.metrics.push_back(metric);
  }
  return window;
}

TEST(WindowCodec, ReadsBackWhatItWrote) {
  std::mt19937 random(1);
  for (int round = 0; round < 500; ++round) {
    const Window window = random_window(random);
    std::string bytes;
    encode_window(window, bytes);
    std::vector<WindowStatistics> again;
    ASSERT_TRUE(decode_window(bytes, window.metrics.size(), again));
    for (std::size_t i = 0; i < again.size(); ++i) {
      ASSERT_EQ(again[i].count, window.metrics[i].count);
      if (again[i].count == 0) continue;
      ASSERT_EQ(again[i].min, window.metrics[i].min);
      ASSERT_EQ(again[i].max, window.metrics[i].max);
      ASSERT_EQ(again[i].mean, window.metrics[i].mean);
    }
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      ASSERT_FALSE(decode_window(bytes.substr(0, cut), window.metrics.size(), again));
    }
    ASSERT_FALSE(decode_window(bytes, window.metrics.size() - 1, again));
    ASSERT_FALSE(decode_window(bytes, window.metrics.size() + 1, again));
  }
}

}  // namespace
}  // namespace gpulse
