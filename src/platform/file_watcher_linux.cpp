#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "platform/file_watcher.h"

namespace gpulse {
namespace {

constexpr std::uint32_t kFolderEvents = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;
constexpr std::uint32_t kFileEvents = IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF;

class InotifyWatcher final : public FileWatcher {
 public:
  explicit InotifyWatcher(const std::filesystem::path& file)
      : file_(file),
        name_(file.filename().string()),
        inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
        event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    rearm();
  }
  ~InotifyWatcher() override {
    if (inotify_ >= 0) ::close(inotify_);
    if (event_ >= 0) ::close(event_);
  }
  InotifyWatcher(const InotifyWatcher&) = delete;
  InotifyWatcher& operator=(const InotifyWatcher&) = delete;

  bool rearm() override {
    if (inotify_ < 0) return false;
    // Adding what is watched already is no change.
    const auto folder = file_.parent_path().empty() ? "." : file_.parent_path();
    folder_watch_ = ::inotify_add_watch(inotify_, folder.c_str(), kFolderEvents | IN_ONLYDIR);
    const int before = file_watch_;
    file_watch_ = ::inotify_add_watch(inotify_, file_.c_str(), kFileEvents);
    const bool missing = file_watch_ < 0 && errno == ENOENT;
    // A file that lost the name would keep its watch for as long as it exists.
    if (before >= 0 && file_watch_ >= 0 && before != file_watch_) {
      ::inotify_rm_watch(inotify_, before);
    }
    return folder_watch_ >= 0 && (file_watch_ >= 0 || missing);
  }

  [[nodiscard]] bool tells_writes_at_once() const override { return true; }

  Woken wait(std::chrono::milliseconds timeout) override {
    const auto until = std::chrono::steady_clock::now() + timeout;
    for (;;) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      std::array<pollfd, 2> waiting{{{event_, POLLIN, 0}, {inotify_, POLLIN, 0}}};
      const int ready = ::poll(waiting.data(), waiting.size(),
                               static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
      if (ready == 0) return Woken::timed_out;
      if ((waiting[0].revents & POLLIN) != 0) {
        std::uint64_t count = 0;
        static_cast<void>(::read(event_, &count, sizeof count));
        return Woken::called;
      }
      if (read_events()) return Woken::changed;
    }
  }

  void wake() override {
    const std::uint64_t one = 1;
    static_cast<void>(::write(event_, &one, sizeof one));
  }

 private:
  // Takes all events that wait; whether one of them is of our file.
  bool read_events() {
    alignas(inotify_event) std::array<char, 4096> buffer{};
    bool ours = false;
    for (;;) {
      const ssize_t got = ::read(inotify_, buffer.data(), buffer.size());
      if (got <= 0) return ours;
      for (const char* at = buffer.data(); at < buffer.data() + got;) {
        inotify_event event{};
        std::memcpy(&event, at, sizeof event);
        const bool of_folder = event.wd == folder_watch_;
        ours = ours || !of_folder || (event.mask & IN_Q_OVERFLOW) != 0 ||
               name_ == (event.len > 0 ? at + sizeof event : "");
        at += sizeof event + event.len;
      }
    }
  }

  const std::filesystem::path file_;
  const std::string name_;
  const int inotify_;
  const int event_;
  int folder_watch_ = -1;
  int file_watch_ = -1;
};

}  // namespace

std::unique_ptr<FileWatcher> FileWatcher::watch(const std::filesystem::path& file) {
  return std::make_unique<InotifyWatcher>(file);
}

}  // namespace gpulse
