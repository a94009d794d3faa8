// What every command that follows or replays logs is asked: which, of which device, in which zone,
// at which speed.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "telemetry/error.h"
#include "telemetry/sample_batch.h"
#include "telemetry/time_zone.h"

namespace CLI {
class App;
}

namespace gpulse::cli {

// As it stands on the command line.
struct LogArguments {
  std::vector<std::string> logs;
  std::string timezone;
  std::string host;
  std::vector<std::string> gpus;
  bool rezone = false;
  std::string replay;
  std::string history;
  bool loop = false;
  bool keep_time = false;
};

// `arguments` must outlive the parse.
void add_log_options(CLI::App& app, LogArguments& arguments);
// Of these only which logs, of which device, in which zone.
void add_log_choice_options(CLI::App& app, LogArguments& arguments);

struct LogChoice {
  std::filesystem::path file;
  Device device;
};

struct ReplayChoice {
  double speed = 1;  // 0: without pause
  std::chrono::microseconds history{0};
  bool loop = false;
  bool keep_time = false;
};

struct LogPlan {
  std::vector<LogChoice> logs;  // a device each; a folder stands for the logs in it
  std::string host;
  std::shared_ptr<const TimeZone> zone;
  bool rezone = false;
  std::optional<ReplayChoice> replay;  // instead of following
};

// Looks at what is there, and changes nothing. Usage errors for what is asked, input errors for
// files that are no GPU-Z logs; one that does not exist yet is none.
[[nodiscard]] Expected<LogPlan> plan_logs(const LogArguments& arguments);

// UTF-8 from the command line.
[[nodiscard]] std::filesystem::path path_of(const std::string& utf8);

}  // namespace gpulse::cli
