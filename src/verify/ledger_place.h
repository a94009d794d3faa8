// The ledger of a data folder against logs.
#pragma once

#include <filesystem>
#include <span>

#include "verify/place.h"

namespace gpulse {

// Beside a gpulse that uses the folder. A source is found by its identity alone: the ledger keeps
// the device that it was first seen with. A usage error when a log was read in another zone.
[[nodiscard]] Expected<PlaceReport> verify_ledger(const std::filesystem::path& folder,
                                                  std::span<const LogUnderTest> logs,
                                                  const Clock& clock);

}  // namespace gpulse
