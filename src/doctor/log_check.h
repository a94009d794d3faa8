// A GPU-Z log: there, readable, growing, in a zone that can be.
#pragma once

#include <filesystem>
#include <memory>

#include "doctor/check.h"
#include "telemetry/time_zone.h"
#include "telemetry/timestamp.h"

namespace gpulse::doctor {

// Reads the whole file, as in `zone`.
[[nodiscard]] Checks check_log(const std::filesystem::path& file,
                               const std::shared_ptr<const TimeZone>& zone, Timestamp now);

// By when the file was last written. Pure.
[[nodiscard]] Check judge_growth(std::string name, Timestamp written, Timestamp now);

// By the last row, as read in `zone`, and when the file was last written: apart by whole quarters
// of an hour they tell of a wrong zone. Pure.
[[nodiscard]] Check judge_zone(std::string name, const TimeZone& zone, Timestamp last_row,
                               Timestamp written, Timestamp now);

}  // namespace gpulse::doctor
