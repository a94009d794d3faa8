// gpulse run: everything in one process. Logs -> store -> windows, alerts, page.
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stop_token>
#include <thread>

#include "cli/command.h"
#include "cli/embedded.h"
#include "cli/find_log.h"
#include "cli/listen_options.h"
#include "cli/log_options.h"
#include "cli/logging.h"
#include "cli/outlets.h"
#include "cli/running.h"
#include "gpuz/generator_options.h"
#include "platform/browser.h"
#include "platform/data_folder.h"
#include "platform/file.h"
#include "platform/host_name.h"
#include "platform/local_time_zone.h"
#include "platform/signals.h"
#include "server/access.h"
#include "stream/config.h"

namespace gpulse::cli {
namespace {

struct Arguments {
  LogArguments logs;
  bool find = false;
  bool no_find = false;
  OutletArguments outlets;
  std::string data;
  std::string config;
  ListenArguments listen{"localhost", kServerPortDefault, {}, {}};
  std::string keep;
  std::string keep_size;
  std::string log_format = "text";
  bool browser = false;
  bool no_browser = false;
  // How it was asked, beside the logs: see asked_of().
  bool port_named = false;
  std::vector<std::string> asked;
};

// What makes one start another than the next: the options, in the order of the help, with what they
// were given. Not those that say only where it is asked, or how it is shown.
std::vector<std::string> asked_of(const CLI::App& app) {
  constexpr std::array kNeutral{"--data", "--browser", "--no-browser", "--log-format"};
  std::vector<std::string> asked;
  for (const CLI::Option* option : app.get_options()) {
    if (option->count() == 0 || option->get_positional()) continue;
    const std::string name = option->get_name();
    if (std::ranges::find(kNeutral, name) != kNeutral.end()) continue;
    const bool flag = option->get_items_expected_max() == 0;
    asked.push_back(flag ? name : fmt::format("{} {}", name, fmt::join(option->results(), " ")));
  }
  return asked;
}

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

struct RunOptions {
  LogPlan logs;
  bool find = false;  // instead of these
  EmbeddedOptions embedded;
};

Expected<bool> shall_find(const Arguments& arguments) {
  const bool named = !arguments.logs.logs.empty();
  if (arguments.find && arguments.no_find) {
    return usage_error("--find and --no-find exclude each other");
  }
  if (arguments.find && named) return usage_error("--find looks for a log, and one is named");
  // --replay without a log is a mistake that is told as one.
  const bool find = !named && arguments.logs.replay.empty() && !arguments.no_find &&
                    (arguments.find || gpuz_runs_here());
  if (find && arguments.logs.gpus.size() > 1) {
    return usage_error("--gpu names more devices than there are logs: one is looked for");
  }
  return find;
}

// `arguments` gets what the configuration adds.
Expected<RunOptions> options_of(Arguments& arguments) {
  RunOptions options;
  const auto find = shall_find(arguments);
  if (!find) return std::unexpected(find.error());
  options.find = *find;
  LogArguments named = arguments.logs;
  if (options.find) named.gpus.clear();  // for the log that is found
  auto logs = plan_logs(named);
  if (!logs) return std::unexpected(logs.error());
  options.logs = std::move(*logs);
  options.embedded.host = options.logs.host;
  options.embedded.zone = options.logs.zone;
  auto folder = arguments.data.empty() ? default_data_folder() : path_of(arguments.data);
  if (!folder) return std::unexpected(folder.error());
  StoreOptions& store = options.embedded.store;
  store.folder = *folder;
  auto config = read_config(arguments, *folder);
  if (!config) return std::unexpected(config.error());
  complete_from_config(arguments.outlets, *config, config_file(arguments, *folder).parent_path());
  store.rules = std::move(config->rules);
  if (!arguments.keep.empty()) {
    const auto keep = parse_length(arguments.keep);
    if (!keep) return std::unexpected(Error(keep.error()).wrapped("--keep"));
    store.keep = std::chrono::ceil<std::chrono::days>(*keep);
  }
  if (!arguments.keep_size.empty()) {
    const auto size = parse_size(arguments.keep_size);
    if (!size) return std::unexpected(size.error());
    store.keep_bytes = *size;
  }
  options.embedded.server.listen = listen_options(arguments.listen);
  return options;
}

bool shall_show(const Arguments& arguments) {
  return !arguments.no_browser && (arguments.browser || can_show_pages());
}

void show(const std::string& page, const std::stop_token& stop) {
  if (const auto shown = open_in_browser(page, stop); !shown) {
    spdlog::warn("no browser could be opened ({}): the page is at the address above",
                 shown.error().message);
  }
}

void say_logs(const LogPlan& plan, const std::vector<FoundLog>& others) {
  for (const LogChoice& log : plan.logs) {
    fmt::print("  {}  {}  as {} / {}, zone {}\n", plan.replay ? "replaying" : "following",
               display(log.file), log.device.host, log.device.gpu, plan.zone->name());
  }
  if (others.empty()) return;
  fmt::print(
      "             the newest of {} logs; another is followed by its name: gpulse run \"{}\"\n",
      others.size() + 1, display(others.front().file));
}

void say_none(const LogSearch& search, const std::vector<GpuzPlace>& places) {
  fmt::print(
      "  waiting    for a log. In GPU-Z: open the tab Sensors, tick \"Log to file\" at its bottom, "
      "and "
      "save\n"
      "             it on the desktop, or in documents or downloads. It is followed once it is "
      "there.\n");
  for (const std::string& place : names_of(places)) fmt::print("  looking in {}\n", place);
  for (const std::string& place : names_of(search.silent())) {
    fmt::print("             {} does not answer, and is left out until it does\n", place);
  }
}

void say_place(const RunOptions& options, const std::vector<std::string>& outlets) {
  for (const std::string& outlet : outlets) fmt::print("  sending to {}\n", outlet);
  fmt::print("  keeping    {}\n  Ctrl-C stops; what was read stays.\n",
             display(options.embedded.store.folder));
  std::fflush(stdout);
}

// Where this one would serve, as seen from this machine.
std::string address_of(const ListenOptions& listen) {
  const std::string& name = listen.address;
  if (name.empty() || name == "localhost" || name == "0.0.0.0" || name == "::") {
    return fmt::format("127.0.0.1:{}", listen.port);
  }
  const std::string host = name.contains(':') ? '[' + name + ']' : name;
  return fmt::format("{}:{}", host, listen.port);
}

bool is_followed(const std::filesystem::path& log, const std::vector<std::string>& followed) {
  std::error_code ignored;
  const std::string whole = display(absolute_path(log));
  return std::ranges::any_of(followed, [&](const std::string& file) {
    return file == whole || std::filesystem::equivalent(path_of(file), log, ignored);
  });
}

// What is asked of this start that the running one does not do; empty when there is nothing.
std::string asked_beside(const Arguments& arguments, const LogPlan& plan, const Running& running) {
  std::error_code ignored;
  for (const LogChoice& log : plan.logs) {
    if (!is_followed(log.file, running.followed)) return display(log.file);
  }
  if (!arguments.data.empty() &&
      !std::filesystem::equivalent(path_of(arguments.data), running.data, ignored)) {
    return "--data " + arguments.data;
  }
  for (const std::string& option : arguments.asked) {
    const auto& same = running.note.asked;
    if (std::ranges::find(same, option) == same.end()) return option;
  }
  return {};
}

void say_running(const Running& running, const TimeZone& zone) {
  const auto started = std::chrono::floor<std::chrono::seconds>(running.note.started);
  const std::string since = to_rfc3339(started + zone.offset_at(started));
  constexpr std::size_t kDay = 10;
  constexpr std::size_t kMinutes = 5;
  fmt::print("gpulse runs already   {}\n  since      {} {}\n", running.note.url,
             since.substr(0, kDay), since.substr(kDay + 1, kMinutes));
  for (const std::string& file : running.followed) fmt::print("  following  {}\n", file);
  fmt::print("  keeping    {}\n", display(running.data));
  std::fflush(stdout);
}

// Another start of what runs already leads to that.
Expected<void> join_running(const Arguments& arguments, const LogPlan& plan,
                            const Running& running) {
  const auto here = TimeZone::find(local_time_zone_name());
  say_running(running, here ? **here : *plan.zone);
  if (const std::string beside = asked_beside(arguments, plan, running); !beside.empty()) {
    return operation_error(
        fmt::format("{} is not what that one was started with: stop it first, or give this one a "
                    "folder and a port of its own, as --data DIR --port 0",
                    beside));
  }
  if (shall_show(arguments)) show(running.page, {});
  return {};
}

// Null when another one runs already, which was told of.
Expected<std::unique_ptr<Embedded>> build(const Arguments& arguments, RunOptions& options) {
  EmbeddedOptions& wanted = options.embedded;
  auto built = Embedded::build(wanted, system_clock());
  if (built || built.error().kind != ErrorKind::operation) return built;
  auto running = running_on(wanted.store.folder);
  if (!running) running = running_at(address_of(wanted.server.listen));
  if (running) {
    const auto joined = join_running(arguments, options.logs, *running);
    if (!joined) return std::unexpected(joined.error());
    return nullptr;
  }
  if (arguments.port_named) return built;
  wanted.server.listen.or_next = true;
  auto next = Embedded::build(wanted, system_clock());
  return next ? std::move(next) : std::move(built);
}

RunningNote note_of(const Arguments& arguments, const Embedded& embedded) {
  const auto token_file = path_of(arguments.listen.token_file);
  return {embedded.url(), embedded.started(), host_name(),
          token_file.empty() ? "" : display(absolute_path(token_file)), arguments.asked};
}

// Follows what was named or found, now or when it is there, and serves until the stop.
Expected<void> run_until(std::stop_source& stop, const Arguments& arguments,
                         const RunOptions& options, Embedded& embedded, Outlets& outlets) {
  LogPlan plan = options.logs;
  const auto start = [&] {
    embedded.follow(plan, stop);
    outlets.start(plan);
  };
  const std::vector<GpuzPlace> places = options.find ? gpuz_places() : std::vector<GpuzPlace>{};
  LogSearch search(places);
  std::jthread awaiting;
  auto found = options.find ? find_log(search, arguments.logs) : std::optional<Find>{};
  if (!found) return std::unexpected(found.error());
  if (*found) plan = std::move((*found)->plan);
  say_logs(plan, *found ? (*found)->others : std::vector<FoundLog>{});
  if (!plan.logs.empty()) {
    start();
  } else if (options.find) {
    say_none(search, places);
    embedded.set_searched(names_of(places));
    awaiting = std::jthread([&] {
      auto later = await_log(search, arguments.logs, stop.get_token());
      if (!later) return;
      plan = std::move(later->plan);
      spdlog::info("{}: found, following it as {} / {}", display(plan.logs.front().file),
                   plan.logs.front().device.host, plan.logs.front().device.gpu);
      start();
    });
  } else {
    fmt::print("  no log given: drop one on the page{}\n",
               gpuz_runs_here() ? "" : ", or have GPU-Z's looked for with --find");
  }
  say_place(options, outlets.names());
  auto ended = embedded.run(stop);
  if (awaiting.joinable()) awaiting.join();
  outlets.join();
  return ended;
}

Expected<void> run(Arguments& arguments) {
  auto options = options_of(arguments);
  if (!options) return std::unexpected(options.error());
  std::stop_source stop;
  const auto signals = StopSignals::listen([&] { stop.request_stop(); });
  if (!signals) return std::unexpected(signals.error());
  if (auto logging = start_logging(arguments.log_format); !logging) return logging;
  // Made once the folder is ours; asked only while the program runs.
  Expected<std::unique_ptr<Outlets>> outlets;
  EmbeddedOptions& wanted = options->embedded;
  wanted.imported = [&outlets](const std::filesystem::path& log, const ImportRequest& request) {
    return (*outlets)->take(log, request);
  };
  wanted.metrics = [&outlets](Exposition& out) { (*outlets)->tell(out); };
  wanted.outlets = [&outlets] { return (*outlets)->states(); };
  auto embedded = build(arguments, *options);
  if (!embedded) return std::unexpected(embedded.error());
  if (*embedded == nullptr) return {};
  const auto& folder = wanted.store.folder;
  outlets = Outlets::build(arguments.outlets, folder / "to", system_clock());
  if (!outlets) return std::unexpected(outlets.error());
  if (auto resumed = (*outlets)->resume({wanted.host, wanted.zone, {}}, stop.get_token());
      !resumed) {
    return resumed;
  }
  const RunningNote note = note_of(arguments, **embedded);
  const auto file = RunningFile::write(folder, note);
  if (!file) spdlog::warn("another start will not find this one: {}", file.error().message);
  fmt::print("gpulse {}   {}\n", GPULSE_VERSION, note.url);
  if (options->embedded.server.listen.or_next) {
    fmt::print("  port {} is taken by another program: this one is the next that is free\n",
               arguments.listen.port);
  }
  std::jthread browser;
  if (shall_show(arguments)) {
    const std::string token =
        note.token_file.empty() ? "" : read_token_file(path_of(note.token_file)).value_or("");
    browser = std::jthread([page = with_token(note.url, token)](const std::stop_token& ending) {
      show(page, ending);
    });
  }
  return run_until(stop, arguments, *options, **embedded, **outlets);
}

}  // namespace

Command add_run(CLI::App& root) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app =
      root.add_subcommand("run", "Follow GPU-Z logs, keep them, and show them on a live page");
  add_log_options(*app, arguments->logs);
  app->add_flag(
      "--find", arguments->find,
      "without a LOG: look for GPU-Z's newest on the desktop, in documents and downloads, of "
      "mounted Windows drives and Wine, too, and wait for one (default on Windows)");
  app->add_flag("--no-find", arguments->no_find, "without a LOG: look for none");
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
  app->add_flag("--browser", arguments->browser,
                "open the page in a browser (default: if started from a terminal with a display)");
  app->add_flag("--no-browser", arguments->no_browser, "open none");
  return {app, [arguments, app] {
            arguments->port_named = app->count("--port") > 0;
            arguments->asked = asked_of(*app);
            return run(*arguments);
          }};
}

}  // namespace gpulse::cli
