// /healthz: whether rows come.
#pragma once

#include <string>
#include <vector>

#include "server/request.h"
#include "store/history.h"
#include "telemetry/timestamp.h"

namespace gpulse {

// What the program that serves does, for people, and for another start of it.
struct ProgramState {
  std::string version;
  Timestamp started;
  std::string data;                   // its data folder
  std::vector<std::string> followed;  // files that rows are awaited from, also before there is one
  std::vector<std::string> searched;  // places where a log is looked for, while none is known
};

// {"status","devices":[{"host","gpu","state","age_seconds"}],"followed":[file],"searched":[place],
// "program":{"version","started","data"}}. One stale device makes the whole stale, with status 503;
// else one live device makes it live; "waiting" while there is none at all.
[[nodiscard]] Response health(const History& history, const Clock& clock,
                              const ProgramState& program);

}  // namespace gpulse
