// gpulse run: everything in one process. Logs -> store -> windows, alerts, page.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stop_token>

#include "cli/command.h"
#include "cli/embedded.h"
#include "cli/listen_options.h"
#include "cli/log_options.h"
#include "cli/logging.h"
#include "cli/outlets.h"
#include "gpuz/generator_options.h"
#include "platform/data_folder.h"
#include "platform/signals.h"
#include "stream/config.h"

namespace gpulse::cli {
namespace {

struct Arguments {
  LogArguments logs;
  OutletArguments outlets;
  std::string data;
  std::string config;
  ListenArguments listen{"localhost", kServerPortDefault, {}, {}};
  std::string keep;
  std::string keep_size;
  std::string log_format = "text";
};

Expected<std::int64_t> parse_size(const std::string& text) {
  double number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(result.ptr, text.data() + text.size());
  const double factor = unit == "MB" ? 1e6 : unit == "GB" ? 1e9 : unit == "TB" ? 1e12 : 0;
  if (result.ec != std::errc{} || factor == 0 || !(number * factor >= 1e6) ||
      number * factor > 9e18) {
    return usage_error(
        fmt::format("--keep-size {}: give a size of at least 1MB, as 500MB or 20GB", text));
  }
  return static_cast<std::int64_t>(number * factor);
}

std::filesystem::path config_file(const Arguments& arguments, const std::filesystem::path& folder) {
  return arguments.config.empty() ? folder / "gpulse.toml" : path_of(arguments.config);
}

Expected<Config> read_config(const Arguments& arguments, const std::filesystem::path& folder) {
  const auto file = config_file(arguments, folder);
  std::error_code ignored;
  if (arguments.config.empty() && !std::filesystem::exists(file, ignored)) return default_config();
  std::ifstream in(file, std::ios::binary);
  if (!in) return usage_error(fmt::format("cannot read the configuration {}", display(file)));
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return parse_config(text, display(file));
}

// `arguments` gets what the configuration adds.
Expected<EmbeddedOptions> options_of(Arguments& arguments) {
  EmbeddedOptions options;
  auto logs = plan_logs(arguments.logs);
  if (!logs) return std::unexpected(logs.error());
  options.logs = std::move(*logs);
  auto folder = arguments.data.empty() ? default_data_folder() : path_of(arguments.data);
  if (!folder) return std::unexpected(folder.error());
  options.store.folder = *folder;
  auto config = read_config(arguments, *folder);
  if (!config) return std::unexpected(config.error());
  complete_from_config(arguments.outlets, *config, config_file(arguments, *folder).parent_path());
  options.store.rules = std::move(config->rules);
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
  options.server.listen = listen_options(arguments.listen);
  return options;
}

void say_hello(const EmbeddedOptions& options, const std::vector<std::string>& outlets,
               const std::string& url) {
  fmt::print("gpulse {}   {}\n", GPULSE_VERSION, url);
  const LogPlan& plan = options.logs;
  for (const LogChoice& log : plan.logs) {
    fmt::print("  {}  {}  as {} / {}, zone {}\n", plan.replay ? "replaying" : "following",
               display(log.file), log.device.host, log.device.gpu, plan.zone->name());
  }
  if (plan.logs.empty()) fmt::print("  no log given: drop one on the page\n");
  for (const std::string& outlet : outlets) fmt::print("  sending to {}\n", outlet);
  fmt::print("  keeping    {}\n  Ctrl-C stops; what was read stays.\n",
             display(options.store.folder));
  std::fflush(stdout);
}

Expected<void> run(Arguments& arguments) {
  const auto options = options_of(arguments);
  if (!options) return std::unexpected(options.error());
  std::stop_source stop;
  const auto signals = StopSignals::listen([&] { stop.request_stop(); });
  if (!signals) return std::unexpected(signals.error());
  if (auto logging = start_logging(arguments.log_format); !logging) return logging;
  auto embedded = Embedded::build(*options, system_clock());
  if (!embedded) return std::unexpected(embedded.error());
  auto outlets = Outlets::build(arguments.outlets, options->store.folder / "to", system_clock());
  if (!outlets) return std::unexpected(outlets.error());
  say_hello(*options, (*outlets)->names(), (*embedded)->url());
  (*outlets)->start(options->logs, stop.get_token());
  auto ended = (*embedded)->run(stop);
  (*outlets)->join();
  return ended;
}

}  // namespace

Command add_run(CLI::App& root) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app =
      root.add_subcommand("run", "Follow GPU-Z logs, keep them, and show them on a live page");
  add_log_options(*app, arguments->logs);
  add_outlet_options(*app, arguments->outlets);
  app->add_option("--data", arguments->data, "data folder (default: the platform's)")
      ->type_name("DIR");
  app->add_option("--config", arguments->config,
                  "configuration (default: gpulse.toml in the data folder, if there)")
      ->type_name("FILE");
  add_listen_options(*app, arguments->listen, "the page");
  app->add_option("--keep", arguments->keep,
                  "remove rows that arrived longer ago, as 90d (default: keep all)")
      ->type_name("LENGTH");
  app->add_option("--keep-size", arguments->keep_size,
                  "remove the oldest arrivals beyond this size, as 20GB (default: keep all)")
      ->type_name("SIZE");
  add_log_format_option(*app, arguments->log_format);
  return {app, [arguments] { return run(*arguments); }};
}

}  // namespace gpulse::cli
