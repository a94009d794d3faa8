// gpulse run: everything in one process. Logs -> store -> windows, alerts, page.
#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stop_token>

#include "cli/command.h"
#include "cli/embedded.h"
#include "cli/time_zone_option.h"
#include "gpuz/cell.h"
#include "gpuz/generator_options.h"
#include "gpuz/log_file.h"
#include "platform/data_folder.h"
#include "platform/host_name.h"
#include "platform/signals.h"
#include "stream/rules_config.h"

namespace gpulse::cli {
namespace {

struct Arguments {
  std::vector<std::string> logs;
  std::string data;
  std::string config;
  std::string timezone;
  std::string host;
  std::vector<std::string> gpus;
  bool rezone = false;
  std::string listen = "localhost";
  std::uint16_t port = kServerPortDefault;
  std::string token_file;
  std::vector<std::string> allowed_hosts;
  std::string replay;
  std::string history;
  bool loop = false;
  bool keep_time = false;
  std::string keep;
  std::string keep_size;
};

std::filesystem::path path_of(const std::string& utf8) {
  return {std::u8string(utf8.begin(), utf8.end())};
}

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

Expected<std::int64_t> parse_size(const std::string& text) {
  double number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(result.ptr, text.data() + text.size());
  const double factor = unit == "MB" ? 1e6 : unit == "GB" ? 1e9 : unit == "TB" ? 1e12 : 0;
  if (result.ec != std::errc{} || factor == 0 || !(number * factor >= 1e6) || number * factor > 9e18) {
    return usage_error(
        fmt::format("--keep-size {}: give a size of at least 1MB, as 500MB or 20GB", text));
  }
  return static_cast<std::int64_t>(number * factor);
}

Expected<std::vector<AlertRule>> read_rules(const std::string& config,
                                            const std::filesystem::path& folder) {
  const std::filesystem::path file = config.empty() ? folder / "gpulse.toml" : path_of(config);
  std::error_code ignored;
  if (config.empty() && !std::filesystem::exists(file, ignored)) {
    const auto rules = default_alert_rules();
    return std::vector(rules.begin(), rules.end());
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) return usage_error(fmt::format("cannot read the configuration {}", display(file)));
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return parse_alert_rules(text, display(file));
}

Expected<std::vector<LogChoice>> choose_logs(const Arguments& arguments) {
  if (arguments.gpus.size() > arguments.logs.size()) {
    return usage_error("--gpu names more devices than there are logs");
  }
  const std::string host = arguments.host.empty() ? host_name() : arguments.host;
  std::vector<LogChoice> logs;
  for (std::size_t i = 0; i < arguments.logs.size(); ++i) {
    LogChoice log;
    log.file = path_of(arguments.logs[i]);
    const std::string gpu =
        i < arguments.gpus.size() ? arguments.gpus[i] : gpu_of(log.file);
    log.device = {host, gpu};
    const auto same_device = [&](const LogChoice& other) { return other.device == log.device; };
    for (int n = 2; std::ranges::any_of(logs, same_device); ++n) {
      log.device.gpu = fmt::format("{}-{}", gpu, n);
    }
    std::error_code ignored;
    for (const LogChoice& other : logs) {
      if (std::filesystem::equivalent(other.file, log.file, ignored) || other.file == log.file) {
        return usage_error(fmt::format("{} is named twice", arguments.logs[i]));
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
    if (!file) return std::unexpected(file.error());
    const auto identified = identify_log(*file);
    if (!identified) return std::unexpected(identified.error());
    // One that was emptied under its writer has lost its heading; the feed may know it.
    const std::string_view start = identified->start;
    const bool headless =
        !replay && (start.starts_with('\0') || parse_local_time(start.substr(0, start.find(','))));
    const bool something = start.contains('\n') && !headless;
    if (!identified->has_header && (something || replay)) {
      return std::unexpected(not_a_log(display(log.file), identified->start));
    }
  }
  return {};
}

Expected<EmbeddedOptions> options_of(const Arguments& arguments) {
  EmbeddedOptions options;
  auto logs = choose_logs(arguments);
  if (!logs) return std::unexpected(logs.error());
  options.logs = std::move(*logs);
  options.host = arguments.host.empty() ? host_name() : arguments.host;
  auto zone = time_zone_option(arguments.timezone);
  if (!zone) return std::unexpected(zone.error());
  options.zone = *zone;
  options.rezone = arguments.rezone;
  auto folder = arguments.data.empty() ? default_data_folder() : path_of(arguments.data);
  if (!folder) return std::unexpected(folder.error());
  options.store.folder = *folder;
  auto rules = read_rules(arguments.config, *folder);
  if (!rules) return std::unexpected(rules.error());
  options.store.rules = std::move(*rules);
  if (!arguments.keep.empty()) {
    const auto keep = parse_length(arguments.keep);
    if (!keep) return std::unexpected(Error(keep.error()).wrapped("--keep"));
    options.store.keep = std::chrono::ceil<std::chrono::days>(*keep);
  }
  if (!arguments.keep_size.empty()) {
    const auto size = parse_size(arguments.keep_size);
    if (!size) return std::unexpected(size.error());
    options.store.keep_bytes = *size;
  }
  if (!arguments.replay.empty()) {
    const auto speed = parse_speed(arguments.replay);
    if (!speed) return std::unexpected(speed.error());
    options.replay = EmbeddedOptions::Replay{*speed, {}, arguments.loop, arguments.keep_time};
    if (!arguments.history.empty()) {
      const auto history = parse_length(arguments.history);
      if (!history) return std::unexpected(Error(history.error()).wrapped("--history"));
      options.replay->history = *history;
    }
    if (options.logs.empty()) return usage_error("--replay needs a log to play");
  } else if (arguments.loop || arguments.keep_time || !arguments.history.empty()) {
    return usage_error("--loop, --keep-time and --history belong to --replay");
  }
  if (arguments.loop && arguments.keep_time) {
    return usage_error("--loop and --keep-time exclude each other: a second pass would bring "
                       "nothing new");
  }
  if (arguments.loop && options.replay->speed == 0) {
    return usage_error("--loop and --replay max exclude each other: passes would fill the disk as "
                       "fast as it writes; give a speed, as --replay 1000");
  }
  options.server.listen = arguments.listen;
  options.server.port = arguments.port;
  options.server.token_file = path_of(arguments.token_file);
  options.server.host_names = arguments.allowed_hosts;
  return options;
}

void say_hello(const EmbeddedOptions& options, const std::string& url) {
  fmt::print("gpulse {}   {}\n", GPULSE_VERSION, url);
  for (const LogChoice& log : options.logs) {
    fmt::print("  {}  {}  as {} / {}, zone {}\n", options.replay ? "replaying" : "following",
               display(log.file), log.device.host, log.device.gpu, options.zone->name());
  }
  if (options.logs.empty()) fmt::print("  no log given: drop one on the page\n");
  fmt::print("  keeping    {}\n  Ctrl-C stops; what was read stays.\n",
             display(options.store.folder));
  std::fflush(stdout);
}

Expected<void> run(const Arguments& arguments) {
  const auto options = options_of(arguments);
  if (!options) return std::unexpected(options.error());
  if (auto checked = check_logs(options->logs, options->replay.has_value()); !checked) {
    return checked;
  }
  std::stop_source stop;
  const auto signals = StopSignals::listen([&] { stop.request_stop(); });
  if (!signals) return std::unexpected(signals.error());
  spdlog::set_default_logger(spdlog::stderr_color_mt("gpulse"));
  spdlog::set_pattern("%H:%M:%S %^%v%$");
  auto embedded = Embedded::build(*options, system_clock());
  if (!embedded) return std::unexpected(embedded.error());
  say_hello(*options, (*embedded)->url());
  return (*embedded)->run(stop);
}

}  // namespace

Command add_run(CLI::App& root) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app =
      root.add_subcommand("run", "Follow GPU-Z logs, keep them, and show them on a live page");
  app->add_option("LOG", arguments->logs, "the logs, which need not exist yet; a device each");
  app->add_option("--data", arguments->data, "data folder (default: the platform's)")
      ->type_name("DIR");
  app->add_option("--config", arguments->config,
                  "configuration (default: gpulse.toml in the data folder, if there)")
      ->type_name("FILE");
  app->add_option("--timezone", arguments->timezone, kTimeZoneHelp)->type_name("ZONE");
  app->add_flag("--rezone", arguments->rezone,
                "read again what was read in another zone before");
  app->add_option("--host", arguments->host, "host of the devices (default: this machine's name)")
      ->type_name("NAME");
  app->add_option("--gpu", arguments->gpus, "device of the first log, the second, ... (default: by file)")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app->add_option("--listen", arguments->listen, "address to serve the page at")
      ->type_name("ADDRESS")
      ->capture_default_str();
  app->add_option("--port", arguments->port, "port to serve the page at; 0 takes any free one")
      ->type_name("PORT")
      ->capture_default_str();
  app->add_option("--token-file", arguments->token_file,
                  "file with the token that other machines must show; needed beyond loopback")
      ->type_name("FILE");
  app->add_option("--allow-host", arguments->allowed_hosts,
                  "a further name by which this machine is reached, as gpu.lan; repeatable")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app->add_option("--replay", arguments->replay,
                  "play the logs as if they were written now: 1 to 1000000 times as fast, or max")
      ->type_name("SPEED");
  app->add_option("--history", arguments->history,
                  "with --replay: so much of the log is there at once, as 90m or 2h")
      ->type_name("LENGTH");
  app->add_flag("--loop", arguments->loop, "with --replay: start again at the end");
  app->add_flag("--keep-time", arguments->keep_time, "with --replay: keep the log's own times");
  app->add_option("--keep", arguments->keep,
                  "remove rows that arrived longer ago, as 90d (default: keep all)")
      ->type_name("LENGTH");
  app->add_option("--keep-size", arguments->keep_size,
                  "remove the oldest arrivals beyond this size, as 20GB (default: keep all)")
      ->type_name("SIZE");
  return {app, [arguments] { return run(*arguments); }};
}

}  // namespace gpulse::cli
