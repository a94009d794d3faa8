// The wish of the user or the system that the program should end.
#pragma once

#include <functional>
#include <memory>

#include "telemetry/error.h"

namespace gpulse {

// While it lives, SIGINT (Ctrl-C), SIGTERM and SIGHUP (the terminal is closed) call `on_stop`
// instead of ending the process; those that the parent had ignored (nohup) stay ignored. A second
// signal ends the process at once, as if nobody listened: for an impatient user.
//
// Make it in main before any other thread is started, and destroy it on the same thread: the
// signals are blocked in that thread and in those it starts. Processes that it starts would inherit
// the blocking; whoever starts one resets its signal mask.
class StopSignals {
 public:
  // `on_stop` runs once, on a thread of its own, where it may do anything but destroy this object.
  [[nodiscard]] static Expected<std::unique_ptr<StopSignals>> listen(std::function<void()> on_stop);
  // Waits for a running on_stop.
  virtual ~StopSignals() = default;

  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 protected:
  StopSignals() = default;
};

}  // namespace gpulse
