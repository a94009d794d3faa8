#include "store/history.h"

namespace gpulse {

std::string_view to_string(DeviceState state) {
  switch (state) {
    case DeviceState::live: return "live";
    case DeviceState::stale: return "stale";
    case DeviceState::ended: break;
  }
  return "ended";
}

}  // namespace gpulse
