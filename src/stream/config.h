// The configuration file, gpulse.toml. docs/rules.md and docs/real-time-path.md say it for people.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "stream/alert.h"
#include "telemetry/error.h"

namespace gpulse {

struct Config {
  // The rules that are in force: the default ones as the file changes them, in their order, then
  // the file's own.
  std::vector<AlertRule> rules;
  // Where rows are sent to, as --to takes it.
  std::vector<std::string> to;
  // Options of the connections, by the names that they have on the command line, with underscores:
  // "password_file". Of the tables [kafka] and [influxdb].
  using Options = std::map<std::string, std::string, std::less<>>;
  Options kafka;
  Options influxdb;
};

// Of no file at all.
[[nodiscard]] Config default_config();

// `text` is the file's content, UTF-8; `file` names it in errors. Whatever the file holds that is
// not understood is a usage error with file, line and what would be allowed. Any thread.
[[nodiscard]] Expected<Config> parse_config(std::string_view text, std::string_view file);

}  // namespace gpulse
