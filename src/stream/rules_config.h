// The alert rules of a configuration file, gpulse.toml. docs/rules.md says it for people.
#pragma once

#include <string_view>
#include <vector>

#include "stream/alert.h"
#include "telemetry/error.h"

namespace gpulse {

// The rules that are in force: the default ones as the file changes them, in their order, then the
// file's own. `text` is the file's content, UTF-8; `file` names it in errors. Whatever the file
// holds that is not understood is a usage error with file, line and what would be allowed. Any
// thread.
[[nodiscard]] Expected<std::vector<AlertRule>> parse_alert_rules(std::string_view text,
                                                                 std::string_view file);

}  // namespace gpulse
