// `gpulse run` without a log finds it.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/log_options.h"
#include "gpuz/log_search.h"

namespace gpulse::cli {

// A log that was found, as if the command line had named it.
struct Find {
  LogPlan plan;
  std::vector<FoundLog> others;  // the newest first
};

// The newest log of a look; none when there is none. Errors as of plan_logs().
[[nodiscard]] Expected<std::optional<Find>> find_log(LogSearch& search,
                                                     const LogArguments& arguments);

// Looks until there is one, or a stop. Nothing is told: nobody writes into places that are not
// watched more often than people do.
[[nodiscard]] std::optional<Find> await_log(LogSearch& search, const LogArguments& arguments,
                                            const std::stop_token& stop);

// Places for people: "/mnt/c/Users/*".
[[nodiscard]] std::vector<std::string> names_of(const std::vector<GpuzPlace>& places);

}  // namespace gpulse::cli
