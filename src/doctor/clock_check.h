// This machine's clock, by itself and beside those of the servers.
#pragma once

#include <optional>
#include <string_view>

#include "doctor/check.h"
#include "telemetry/timestamp.h"

namespace gpulse::doctor {

// Pure. `synchronised` as clock_is_synchronised() says.
[[nodiscard]] Check judge_clock(Timestamp now, std::optional<bool> synchronised);

// A server's time, in whole seconds, that came while ours was `before` to `after`. Pure.
[[nodiscard]] Check judge_clock_beside(std::string_view server, Timestamp its_time,
                                       Timestamp before, Timestamp after);

// The newest row or record of a store must not be of the future. Pure.
[[nodiscard]] Check judge_newest(std::string name, std::optional<Timestamp> newest, Timestamp now);

}  // namespace gpulse::doctor
