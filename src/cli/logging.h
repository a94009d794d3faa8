// The log of commands that go on for long: one line per event, on standard error.
#pragma once

#include <string>

#include "telemetry/error.h"

namespace CLI {
class App;
}

namespace gpulse::cli {

// --log-format text|json. `format` must outlive the parse.
void add_log_format_option(CLI::App& app, std::string& format);

// "10:17:08 message" for people, with a colour where a terminal shows one; or, "json",
// {"time":"2026-03-01T10:17:08.123Z","level":"info","message":"…"} for machines. Once, before the
// first line. A usage error for another word.
[[nodiscard]] Expected<void> start_logging(const std::string& format);

}  // namespace gpulse::cli
