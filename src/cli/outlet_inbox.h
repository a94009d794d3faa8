// Logs that an outlet of `gpulse run` has yet to take up: dropped on the page, and read there.
// Beside its store, which cannot be written to while a delivery waits for the other side.
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "server/import_jobs.h"

namespace gpulse::cli {

// Any thread.
class OutletInbox {
 public:
  // Finds what earlier runs of the program left there. An operation error when there can be no such
  // folder.
  [[nodiscard]] Expected<void> open(std::filesystem::path folder);

  // The log goes on to exist here whatever becomes of `file`. Durable on return; a name that is
  // there already is the same log.
  [[nodiscard]] Expected<void> put(const std::filesystem::path& file, const ImportRequest& request);

  struct Entry {
    std::filesystem::path log;
    ImportRequest request;
  };
  // Waits for the next one, in the order of put(); nothing after a stop. Each is given once a run.
  [[nodiscard]] std::optional<Entry> next(const std::stop_token& stop);
  // It was taken up.
  static void remove(const Entry& entry);

 private:
  std::filesystem::path folder_;
  std::mutex mutex_;
  std::condition_variable_any news_;
  std::deque<std::string> waiting_;  // names of logs
};

// Another name of the file, or a copy where the file system has only one for each.
[[nodiscard]] Expected<void> link_or_copy(const std::filesystem::path& from,
                                          const std::filesystem::path& to);

}  // namespace gpulse::cli
