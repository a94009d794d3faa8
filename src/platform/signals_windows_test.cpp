#include <gtest/gtest.h>
#include <windows.h>

#include <future>

#include "platform/signals.h"

namespace gpulse {
namespace {

using namespace std::chrono_literals;

TEST(SignalsOnWindows, CtrlBreakAsksToStopOnce) {
  std::promise<void> asked;
  const auto listening = StopSignals::listen([&] { asked.set_value(); });
  ASSERT_TRUE(listening) << listening.error().message;
  ASSERT_NE(GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, 0), 0);
  EXPECT_EQ(asked.get_future().wait_for(60s), std::future_status::ready);
}

TEST(SignalsOnWindows, OneListenerAfterTheOther) {
  for (int i = 0; i < 3; ++i) {
    const auto listening = StopSignals::listen([] {});
    ASSERT_TRUE(listening) << listening.error().message;
  }
}

}  // namespace
}  // namespace gpulse
