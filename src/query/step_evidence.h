// What else moved when a metric stepped. Of use inside query/ only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "query/steps.h"
#include "store/history.h"

namespace gpulse {

inline constexpr double kPowerStepWatts = 10;
inline constexpr double kPowerStepShare = 0.15;

// Metrics of power, the most telling first.
[[nodiscard]] const std::vector<std::string>& power_metrics();

// "board 221 → 52 W", "hot spot 80 → 50 °C in 4 min", "clock 1 980 → 420 MHz"; what did not move is
// left out, and so is the step's own metric. Looks at [step - its window, until].
// The errors are the history's.
[[nodiscard]] Expected<std::vector<std::string>> step_evidence(const History& history,
                                                               const DeviceRecord& device,
                                                               const Step& step, Timestamp from,
                                                               Timestamp until);

}  // namespace gpulse
