// The way of one followed log into the store.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "platform/file.h"
#include "platform/file_watcher.h"
#include "store/source_writer.h"
#include "store/store.h"

namespace gpulse {

struct LogFeedOptions {
  std::filesystem::path file;
  Device device;  // for a source that is new
  std::shared_ptr<const TimeZone> zone;
  bool rezone = false;  // what was read in another zone is removed and read again
};

// Reads what a log holds and follows what is written to it, for as long as the program runs: through
// lines written in pieces, a log that does not exist yet, renaming and a new file of the name, deletion
// and creation, truncation and rewriting. Rows reach the store within a few milliseconds where the
// system tells of writes, else within two polls.
//
// It only ever reads, and holds the file open in a way that hinders neither its writer nor a deleter.
class LogFeed {
 public:
  // What a person may want to hear of; called from the feed's thread.
  enum class Notice {
    waiting,    // the file is not there (yet)
    opened,     // it is being read; `detail` is the source, "" while it is not known
    caught_up,  // all that it held has been read
    replaced,   // another file has taken its name
    rewritten,  // its content is not what it was
    trouble,    // `detail` says what failed; it is tried again
  };
  using Observer = std::function<void(Notice notice, const std::string& detail)>;

  LogFeed(Store& store, const Clock& clock, LogFeedOptions options, Observer observer);

  // Until a stop is requested, which is no error. An error that trying again cannot mend (no GPU-Z log,
  // read in another zone before) ends it. On the calling thread, which may be any one.
  [[nodiscard]] Expected<void> run(const std::stop_token& stop);

 private:
  struct Tail;
  enum class After { stop, reopen, lost_name };

  [[nodiscard]] Expected<std::unique_ptr<Tail>> attach(ReadFile file);
  [[nodiscard]] Expected<std::unique_ptr<Tail>> continue_source(ReadFile file,
                                                                const LedgerSource& from,
                                                                const std::string& suffix);
  [[nodiscard]] Expected<void> check_zone(const LedgerSource& known) const;
  [[nodiscard]] Expected<After> follow(std::unique_ptr<Tail>& tail, const std::stop_token& stop);
  [[nodiscard]] Expected<bool> read_more(Tail& tail);
  [[nodiscard]] Expected<void> finish(Tail& tail, std::uint64_t tail_hash);
  [[nodiscard]] Expected<void> mind_silence(Tail& tail);
  [[nodiscard]] Expected<bool> name_moved(const Tail& tail) const;
  void linger(std::unique_ptr<Tail> tail);
  // False: a stop was requested.
  bool wait(std::chrono::milliseconds timeout, const std::stop_token& stop);

  Store& store_;
  const Clock& clock_;
  const LogFeedOptions options_;
  const Observer observer_;
  std::unique_ptr<FileWatcher> watcher_;
  bool notices_work_ = true;  // writes were told of, not found by polling
  std::vector<std::jthread> lingering_;
};

}  // namespace gpulse
