#include "cli/find_log.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "platform/file.h"

namespace gpulse::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookEvery = 1500ms;

}  // namespace

Expected<std::optional<Find>> find_log(LogSearch& search, const LogArguments& arguments) {
  std::vector<FoundLog> logs = search.look();
  if (logs.empty()) return std::nullopt;
  LogArguments named = arguments;
  named.logs = {display(logs.front().file)};
  auto plan = plan_logs(named);
  if (!plan) return std::unexpected(plan.error());
  logs.erase(logs.begin());
  return Find{*std::move(plan), std::move(logs)};
}

std::optional<Find> await_log(LogSearch& search, const LogArguments& arguments,
                              const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::string said;
  while (!stop.stop_requested()) {
    auto found = find_log(search, arguments);
    if (found && *found) return *std::move(found);
    if (!found && found.error().message != said) {
      said = found.error().message;
      spdlog::warn("{}", said);
    }
    std::unique_lock lock(mutex);
    stopped.wait_for(lock, stop, kLookEvery, [] { return false; });
  }
  return std::nullopt;
}

std::vector<std::string> names_of(const std::vector<GpuzPlace>& places) {
  std::vector<std::string> names;
  for (const GpuzPlace& place : places) {
    const bool users = place.kind == GpuzPlace::Kind::users;
    names.push_back(display(users ? place.path / "*" : place.path));
  }
  return names;
}

}  // namespace gpulse::cli
