// Waiting for something to happen to one file.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

namespace gpulse {

// Tells of writes to the file and of its name being given, taken away or given to another file;
// wherever the system does not tell (network shares, a folder that does not exist), waits end by
// their time-out alone. wait() and rearm() belong to one thread; wake() may be called from any.
class FileWatcher {
 public:
  [[nodiscard]] static std::unique_ptr<FileWatcher> watch(const std::filesystem::path& file);
  virtual ~FileWatcher() = default;

  // Whether writes are told as they happen. Where they are told late, as by Windows of a file that
  // is held open, whoever has no time to lose looks now and then.
  [[nodiscard]] virtual bool tells_writes_at_once() const = 0;

  enum class Woken { changed, timed_out, called };
  // Returns at once when something happened since the last wait.
  [[nodiscard]] virtual Woken wait(std::chrono::milliseconds timeout) = 0;
  // The file has been opened: its writes are told from now on, under whatever name it gets. False
  // when it is certain that some change will not be told.
  virtual bool rearm() = 0;
  // Ends the wait under way, or the next one.
  virtual void wake() = 0;
};

}  // namespace gpulse
