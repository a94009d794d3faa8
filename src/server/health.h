// /healthz: whether rows come.
#pragma once

#include <string>
#include <vector>

#include "server/outlet_state.h"
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
  std::vector<OutletState> outlets;
};

// {"status","devices":[{"host","gpu","state","age_seconds"}],"followed":[file],"searched":[place],
// "outlets":[as write_outlet() has them],
// "program":{"version","started","data"}}. One stale device makes the whole stale, with status 503;
// else one live device makes it live; "waiting" while there is none at all. An outlet that is away
// or refuses us changes nothing of that: rows are kept all the same.
[[nodiscard]] Response health(const History& history, const Clock& clock,
                              const ProgramState& program);

}  // namespace gpulse
