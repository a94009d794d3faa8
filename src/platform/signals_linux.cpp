#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): POSIX has more in it than C

#include <atomic>
#include <cstring>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "platform/signals.h"

namespace gpulse {
namespace {

// What listens for now: a signal that the parent ignored is left alone. SIGTERM is always taken,
// since the destructor uses it to wake the waiting thread.
sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  for (const int number : {SIGINT, SIGHUP}) {
    struct sigaction action{};
    if (sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) {
      sigaddset(&set, number);
    }
  }
  return set;
}

// Ends the process the way that the signal would have, so that the parent sees the same.
void end_by(int number) {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  sigaction(number, &action, nullptr);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  raise(number);
}

// A thread waits for the signals, since a handler may do next to nothing (no lock, no allocation).
class Listener final : public StopSignals {
 public:
  Listener(std::function<void()> on_stop, const sigset_t& signals, const sigset_t& mask_before)
      : on_stop_(std::move(on_stop)), signals_(signals), mask_before_(mask_before) {
    thread_ = std::thread([this] { wait(); });
  }

  ~Listener() override {
    ending_ = true;
    // NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread): it waits for the signal, and ends itself
    pthread_kill(thread_.native_handle(), SIGTERM);
    thread_.join();
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  }

 private:
  void wait() {
    // on_stop runs beside the waiting, so that a second signal is heard while it still works.
    std::thread stopping;
    for (;;) {
      int number = 0;
      if (sigwait(&signals_, &number) != 0) continue;
      if (ending_) break;
      if (stopping.joinable()) {
        end_by(number);
      } else {
        stopping = std::thread(on_stop_);
      }
    }
    if (stopping.joinable()) stopping.join();
  }

  std::function<void()> on_stop_;
  sigset_t signals_;
  sigset_t mask_before_;
  std::atomic<bool> ending_ = false;
  std::thread thread_;
};

}  // namespace

Expected<std::unique_ptr<StopSignals>> StopSignals::listen(std::function<void()> on_stop) {
  const sigset_t signals = stop_signals();
  sigset_t mask_before;
  if (const int error = pthread_sigmask(SIG_BLOCK, &signals, &mask_before); error != 0) {
    return operation_error(std::string("cannot listen for signals: ") + std::strerror(error));
  }
  try {
    return std::make_unique<Listener>(std::move(on_stop), signals, mask_before);
  } catch (const std::system_error& error) {
    pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);
    return operation_error(std::string("cannot listen for signals: ") + error.what());
  }
}

}  // namespace gpulse
