// The way of one followed log into the store.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "pipeline/log_place.h"
#include "platform/file.h"
#include "platform/file_watcher.h"
#include "store/store.h"

namespace gpulse {

struct LogFeedOptions {
  std::filesystem::path file;
  Device device;  // for a source that is new
  std::shared_ptr<const TimeZone> zone;
  bool rezone = false;  // what was read in another zone is removed and read again
  std::size_t chunk_bytes = std::size_t{256} << 10;  // read, and committed, at once
};

// Reads what a log holds and follows what is written to it, for as long as the program runs:
// through lines written in pieces, a log that does not exist yet, renaming and a new file of the
// name, deletion and creation, truncation and rewriting. Rows reach the store within a few
// milliseconds where the system tells of writes, else within two polls.
//
// It only ever reads, and holds the file open in a way that hinders neither its writer nor a
// deleter.
class LogFeed {
 public:
  // What a person may want to hear of.
  enum class Notice {
    waiting,    // the file is not there (yet)
    opened,     // it is being read; `detail` is the source, "" while it is not known
    caught_up,  // all that it held has been read
    replaced,   // another file has taken its name
    rewritten,  // its content is not what it was
    trouble,    // `detail` says what failed; it is tried again
  };
  // Called from the feed's thread, and from those that read on in files that lost their name.
  using Observer = std::function<void(Notice notice, const std::string& detail)>;

  LogFeed(Store& store, const Clock& clock, LogFeedOptions options, Observer observer);

  // Until a stop is requested, which is no error. An error that time cannot mend (read in another
  // zone before) ends it; what is no log, or no file, may still become one. On the calling thread,
  // which may be any one.
  [[nodiscard]] Expected<void> run(const std::stop_token& stop);

 private:
  using FilePtr = std::shared_ptr<const ReadFile>;
  struct Tail;
  // A file that lost its name, being read for as long as its writer may still hold it.
  struct Lingering {
    std::string source;
    std::atomic<bool> taken_over = false;  // the file that has the name now goes on with the source
    std::atomic<bool> done = false;
    std::jthread thread;
  };
  enum class After { stop, wait, reopen, lost_name };
  enum class Look { same, grew, rewritten };

  [[nodiscard]] Expected<FilePtr> open();
  void read_renamed();
  [[nodiscard]] Expected<After> read(const FilePtr& file, const std::stop_token& stop);
  [[nodiscard]] Expected<std::unique_ptr<Tail>> attach(const FilePtr& file);
  [[nodiscard]] Expected<After> follow(std::unique_ptr<Tail>& owned, const std::stop_token& stop);
  [[nodiscard]] static Expected<Look> look(Tail& tail, bool glance);
  [[nodiscard]] Expected<bool> read_more(Tail& tail) const;
  [[nodiscard]] static Expected<void> finish(Tail& tail, bool never_again);
  [[nodiscard]] Expected<void> mind_silence(Tail& tail);
  void linger(std::unique_ptr<Tail> tail);
  void read_to_the_end(Lingering& lingering, std::unique_ptr<Tail> tail,
                       const std::stop_token& stop);
  bool take_over(const std::string& source);
  void say_trouble(const Error& error);
  void say_opened(const Tail& tail);
  [[nodiscard]] std::chrono::milliseconds poll_interval() const;
  FileWatcher::Woken wait(std::chrono::milliseconds timeout, const std::stop_token& stop);
  void wait_for_change(const ReadFile* file, const std::stop_token& stop);

  Store& store_;
  const Clock& clock_;
  const LogFeedOptions options_;
  const Observer observer_;
  std::unique_ptr<FileWatcher> watcher_;
  bool notices_work_ = true;  // writes were told of, not found by polling
  std::string said_;  // the last notice of waiting or trouble, which is not said again
  std::optional<ErrorKind> trouble_;  // of the trouble that was said and is not over
  std::list<Lingering> lingering_;
};

}  // namespace gpulse
