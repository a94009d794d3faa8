// /healthz: whether rows come.
#pragma once

#include "server/request.h"
#include "store/history.h"

namespace gpulse {

// {"status","devices":[{"host","gpu","state","age_seconds"}]}. One stale device makes the whole stale,
// with status 503; else one live device makes it live; "waiting" while there is none at all.
[[nodiscard]] Response health(const History& history, const Clock& clock);

}  // namespace gpulse
