#include "cli/log_options.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>

#include "cli/time_zone_option.h"
#include "gpuz/generator_options.h"
#include "gpuz/log_file.h"
#include "platform/host_name.h"

namespace gpulse::cli {
namespace {

// "gpu0" for GPU-Z's default name, else the name without its extension.
std::string gpu_of(const std::filesystem::path& log) {
  const std::string stem = display(log.stem());
  return stem == "GPU-Z Sensor Log" || stem.empty() ? "gpu0" : stem;
}

Expected<double> parse_speed(const std::string& text) {
  if (text == "max") return 0.0;
  std::string_view number = text;
  if (number.ends_with('x')) number.remove_suffix(1);
  double speed = 0;
  const auto result = std::from_chars(number.data(), number.data() + number.size(), speed);
  if (result.ec != std::errc{} || result.ptr != number.data() + number.size() || !(speed >= 1) ||
      speed > 1e6) {
    return usage_error(fmt::format("--replay {}: give a number from 1 to 1000000, or max", text));
  }
  return speed;
}

// A folder stands for the logs in it, oldest name first.
Expected<void> add_folder(const std::filesystem::path& folder,
                          std::vector<std::filesystem::path>& files) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (!entry->is_regular_file(ignored)) continue;
    const auto file = ReadFile::open(entry->path());
    const auto identified = file ? identify_log(*file) : std::unexpected(file.error());
    if (identified && identified->has_header) found.push_back(entry->path());
  }
  if (error) {
    return input_error(
        fmt::format("cannot read the folder {}: {}", display(folder), error.message()));
  }
  if (found.empty()) {
    return input_error(fmt::format("there is no GPU-Z log in the folder {}", display(folder)));
  }
  std::ranges::sort(found);
  files.insert(files.end(), found.begin(), found.end());
  return {};
}

Expected<std::vector<std::filesystem::path>> files_of(const std::vector<std::string>& names) {
  std::vector<std::filesystem::path> files;
  for (const std::string& name : names) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(path_of(name), ignored)) {
      files.push_back(path_of(name));
    } else if (auto added = add_folder(path_of(name), files); !added) {
      return std::unexpected(added.error());
    }
  }
  return files;
}

Expected<std::vector<LogChoice>> choose_logs(const LogArguments& arguments,
                                             const std::vector<std::filesystem::path>& files) {
  if (arguments.gpus.size() > files.size()) {
    return usage_error("--gpu names more devices than there are logs");
  }
  const std::string host = arguments.host.empty() ? host_name() : arguments.host;
  std::vector<LogChoice> logs;
  for (std::size_t i = 0; i < files.size(); ++i) {
    LogChoice log{files[i], {}};
    const std::string gpu = i < arguments.gpus.size() ? arguments.gpus[i] : gpu_of(log.file);
    log.device = {host, gpu};
    const auto same_device = [&](const LogChoice& other) { return other.device == log.device; };
    for (int n = 2; std::ranges::any_of(logs, same_device); ++n) {
      log.device.gpu = fmt::format("{}-{}", gpu, n);
    }
    std::error_code ignored;
    for (const LogChoice& other : logs) {
      if (std::filesystem::equivalent(other.file, log.file, ignored) || other.file == log.file) {
        return usage_error(fmt::format("{} is named twice", display(log.file)));
      }
    }
    logs.push_back(std::move(log));
  }
  return logs;
}

// What cannot be a log is refused before anything is started.
Expected<void> check_logs(const std::vector<LogChoice>& logs, bool replay) {
  for (const LogChoice& log : logs) {
    std::error_code ignored;
    if (!replay && !std::filesystem::exists(log.file, ignored)) continue;
    const auto file = ReadFile::open(log.file);
    if (!file && !replay && file.error().retryable) continue;
    if (!file) return std::unexpected(file.error());
    const auto identified = identify_log(*file);
    if (!identified) return std::unexpected(identified.error());
    if (replay ? !identified->has_header : !may_be_log(*identified)) {
      return std::unexpected(not_a_log(display(log.file), identified->start));
    }
  }
  return {};
}

Expected<std::optional<ReplayChoice>> choose_replay(const LogArguments& arguments) {
  if (arguments.replay.empty()) {
    if (!arguments.loop && !arguments.keep_time && arguments.history.empty()) return std::nullopt;
    return usage_error("--loop, --keep-time and --history belong to --replay");
  }
  const auto speed = parse_speed(arguments.replay);
  if (!speed) return std::unexpected(speed.error());
  ReplayChoice replay{*speed, {}, arguments.loop, arguments.keep_time};
  if (!arguments.history.empty()) {
    const auto history = parse_length(arguments.history);
    if (!history) return std::unexpected(Error(history.error()).wrapped("--history"));
    replay.history = *history;
  }
  if (arguments.logs.empty()) return usage_error("--replay needs a log to play");
  if (replay.loop && replay.keep_time) {
    return usage_error(
        "--loop and --keep-time exclude each other: a second pass would bring "
        "nothing new");
  }
  if (replay.loop && replay.speed == 0) {
    return usage_error(
        "--loop and --replay max exclude each other: passes would fill the disk as "
        "fast as it writes; give a speed, as --replay 1000");
  }
  return replay;
}

}  // namespace

std::filesystem::path path_of(const std::string& utf8) {
  return {std::u8string(utf8.begin(), utf8.end())};
}

Expected<LogPlan> plan_logs(const LogArguments& arguments) {
  LogPlan plan;
  const auto replay = choose_replay(arguments);
  if (!replay) return std::unexpected(replay.error());
  plan.replay = *replay;
  const auto zone = time_zone_option(arguments.timezone);
  if (!zone) return std::unexpected(zone.error());
  plan.zone = *zone;
  plan.rezone = arguments.rezone;
  plan.host = arguments.host.empty() ? host_name() : arguments.host;
  const auto files = files_of(arguments.logs);
  if (!files) return std::unexpected(files.error());
  auto logs = choose_logs(arguments, *files);
  if (!logs) return std::unexpected(logs.error());
  plan.logs = std::move(*logs);
  if (auto checked = check_logs(plan.logs, plan.replay.has_value()); !checked) {
    return std::unexpected(checked.error());
  }
  return plan;
}

void add_log_choice_options(CLI::App& app, LogArguments& arguments) {
  app.add_option("LOG", arguments.logs,
                 "the logs, which need not exist yet, or folders of logs; a device each");
  app.add_option("--timezone", arguments.timezone, kTimeZoneHelp)->type_name("ZONE");
  app.add_option("--host", arguments.host, "host of the devices (default: this machine's name)")
      ->type_name("NAME");
  app.add_option("--gpu", arguments.gpus,
                 "device of the first log, the second, ... (default: by file)")
      ->type_name("NAME")
      ->allow_extra_args(false);
}

void add_log_options(CLI::App& app, LogArguments& arguments) {
  add_log_choice_options(app, arguments);
  app.add_flag("--rezone", arguments.rezone, "read again what was read in another zone before");
  app.add_option("--replay", arguments.replay,
                 "play the logs as if they were written now: 1 to 1000000 times as fast, or max")
      ->type_name("SPEED");
  app.add_option("--history", arguments.history,
                 "with --replay: so much of the log is there at once, as 90m or 2h")
      ->type_name("LENGTH");
  app.add_flag("--loop", arguments.loop, "with --replay: start again at the end");
  app.add_flag("--keep-time", arguments.keep_time, "with --replay: keep the log's own times");
}

}  // namespace gpulse::cli
