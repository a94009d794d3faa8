// /healthz: whether rows come.
#pragma once

#include <string>
#include <vector>

#include "server/request.h"
#include "store/history.h"

namespace gpulse {

// {"status","devices":[{"host","gpu","state","age_seconds"}],"followed":[file]}. One stale device
// makes the whole stale, with status 503; else one live device makes it live; "waiting" while there
// is none at all. `followed`: the files that rows are awaited from, also before there is one.
[[nodiscard]] Response health(const History& history, const Clock& clock,
                              const std::vector<std::string>& followed);

}  // namespace gpulse
