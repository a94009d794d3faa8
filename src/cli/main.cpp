// gpulse: GPU sensor readings from GPU-Z's log to where people need them.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <array>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cli/command.h"
#include "platform/program_start.h"

namespace {

// Without a command: what there is, as --help says it. With one that is none: its name.
int refuse(const CLI::App& app, const std::vector<std::string>& arguments) {
  if (!arguments.empty() && !arguments.front().starts_with('-')) {
    const std::string& name = arguments.front();
    const bool of_fleets = name == "stream" || name == "analyze";
    fmt::print(stderr, "gpulse: {} {}; gpulse --help lists what there is\n", name,
               of_fleets ? "is not in this build" : "is no command");
  } else {
    fmt::print(stderr, "{}", app.help());
  }
  return gpulse::exit_code(gpulse::ErrorKind::usage);
}

int run(const std::vector<std::string>& arguments) {
  using namespace gpulse;
  CLI::App app{"gpulse shows and keeps what GPU-Z's sensor log says about a graphics card"};
  app.name("gpulse");
  app.set_version_flag("--version", "gpulse " GPULSE_VERSION);
  app.allow_windows_style_options(false);  // the same command line on every system
  app.require_subcommand(1);
  app.fallthrough(false);
  const std::array commands = {cli::add_run(app),           cli::add_produce(app),
                               cli::add_sink_influxdb(app), cli::add_setup_influxdb(app),
                               cli::add_dead(app),          cli::add_doctor(app),
                               cli::add_verify(app),        cli::add_inspect(app),
                               cli::add_generate(app)};
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // from the back
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == 0;
    if (!asked && app.get_subcommands().empty()) return refuse(app, arguments);
    // Help and version are "errors" of exit code 0 to CLI11; all others are usage errors to us.
    return app.exit(error) == 0 ? 0 : exit_code(ErrorKind::usage);
  }
  for (const cli::Command& command : commands) {
    if (!command.app->parsed()) continue;
    const auto done = command.run();
    if (done) return 0;
    fmt::print(stderr, "gpulse: {}\n", done.error().message);
    return exit_code(done.error().kind);
  }
  return exit_code(ErrorKind::usage);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(gpulse::start_program(argc, argv));
  } catch (const std::exception& error) {
    // Memory that ran out, and what else nobody plans for.
    for (const char* words :
         {"gpulse: ended by an error that it does not know: ", error.what(), "\n"}) {
      std::fputs(words, stderr);
    }
    return gpulse::exit_code(gpulse::ErrorKind::operation);
  }
}
