// The logs of a command on their way into its store, a thread each.
#pragma once

#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "cli/log_options.h"
#include "store/store.h"

namespace gpulse::cli {

class Feeds {
 public:
  // Both must outlive it. With `outlet`, a place that rows are sent to beside, only trouble is
  // told, and of whom it is.
  Feeds(Store& store, const Clock& clock, std::string outlet = {})
      : store_(store), clock_(clock), outlet_(std::move(outlet)) {}

  // A log that fails for good is told of; when it was the last one that ran, `stop` is requested
  // and join() returns the error. Once.
  void start(const LogPlan& plan, std::stop_source& stop);
  // Waits for all of them.
  [[nodiscard]] Expected<void> join();

 private:
  void run(const LogPlan& plan, const LogChoice& log, std::stop_source& stop);
  [[nodiscard]] Expected<void> feed(const LogPlan& plan, const LogChoice& log,
                                    const std::stop_token& stop);

  Store& store_;
  const Clock& clock_;
  const std::string outlet_;
  std::mutex mutex_;
  std::size_t running_ = 0;
  std::optional<Error> failed_;
  std::vector<std::jthread> threads_;
};

}  // namespace gpulse::cli
