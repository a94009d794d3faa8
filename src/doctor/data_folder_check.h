// The folder in which gpulse keeps its data, and the disk below it.
#pragma once

#include <cstdint>
#include <filesystem>

#include "doctor/check.h"

namespace gpulse::doctor {

// Changes nothing there, and does not hinder a gpulse that uses it or is about to.
[[nodiscard]] Checks check_data_folder(const std::filesystem::path& folder);

// Pure.
[[nodiscard]] Check judge_disk(std::uint64_t free_bytes);

}  // namespace gpulse::doctor
