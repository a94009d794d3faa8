#include <gtest/gtest.h>

#include "platform/signals.h"

namespace gpulse {
namespace {

// That Ctrl-C reaches on_stop is seen by the front door: GenerateConsoleCtrlEvent needs a console.
TEST(SignalsOnWindows, OneListenerAfterTheOther) {
  for (int i = 0; i < 3; ++i) {
    const auto listening = StopSignals::listen([] {});
    ASSERT_TRUE(listening) << listening.error().message;
  }
}

}  // namespace
}  // namespace gpulse
