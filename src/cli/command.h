// A command of the program: its options and its run, one file each.
#pragma once

#include <functional>

#include "telemetry/error.h"

namespace CLI {
class App;
}

namespace gpulse::cli {

// `run` is called once, after a successful parse that chose `app`. Its error is printed by main as
// "gpulse: <message>" and decides the exit code; commands print nothing of it themselves.
struct Command {
  CLI::App* app;
  std::function<Expected<void>()> run;
};

// Each adds a subcommand to `root`, which must outlive the returned value.
[[nodiscard]] Command add_run(CLI::App& root);
[[nodiscard]] Command add_produce(CLI::App& root);
[[nodiscard]] Command add_sink_influxdb(CLI::App& root);
[[nodiscard]] Command add_setup_influxdb(CLI::App& root);
[[nodiscard]] Command add_dead(CLI::App& root);
[[nodiscard]] Command add_doctor(CLI::App& root);
[[nodiscard]] Command add_verify(CLI::App& root);
[[nodiscard]] Command add_inspect(CLI::App& root);
[[nodiscard]] Command add_generate(CLI::App& root);

}  // namespace gpulse::cli
