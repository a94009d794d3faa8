#include <atomic>
#include <mutex>
#include <utility>

#include "platform/signals.h"
#include "platform/windows_api.h"

namespace gpulse {
namespace {

// The system calls the handler on a thread of its own, made for the call.
class Listener final : public StopSignals {
 public:
  explicit Listener(std::function<void()> on_stop) : on_stop_(std::move(on_stop)) {}

  ~Listener() override {
    const std::scoped_lock lock(listening_mutex());
    listening() = nullptr;
    SetConsoleCtrlHandler(handle, FALSE);
  }

  Expected<void> start() {
    const std::scoped_lock lock(listening_mutex());
    listening() = this;
    if (SetConsoleCtrlHandler(handle, TRUE) != 0) return {};
    listening() = nullptr;
    return operation_error("cannot listen for Ctrl-C: " + windows::message_of(GetLastError()));
  }

 private:
  static std::mutex& listening_mutex() {
    static std::mutex mutex;
    return mutex;
  }
  static Listener*& listening() {
    static Listener* listener = nullptr;
    return listener;
  }

  static BOOL WINAPI handle(DWORD event) {
    {
      const std::unique_lock lock(listening_mutex(), std::try_to_lock);
      // A second event while the first is at work, or after it: the system ends the process.
      if (!lock || listening() == nullptr || std::exchange(listening()->stopped_, true)) {
        return FALSE;
      }
      listening()->on_stop_();
    }
    // The window closes, and the process goes as soon as this returns: main is to end it before,
    // within the seconds that the system grants. The end of a session is told to services and to
    // programs without windows' libraries alone: there we are killed, and lose nothing by it.
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) Sleep(INFINITE);
    return TRUE;
  }

  const std::function<void()> on_stop_;
  bool stopped_ = false;
};

}  // namespace

Expected<std::unique_ptr<StopSignals>> StopSignals::listen(std::function<void()> on_stop) {
  auto listener = std::make_unique<Listener>(std::move(on_stop));
  if (auto started = listener->start(); !started) return std::unexpected(started.error());
  return listener;
}

}  // namespace gpulse
