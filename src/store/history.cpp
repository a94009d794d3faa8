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

std::unexpected<Error> scan_stopped() { return operation_error("gpulse is stopping", true); }

}  // namespace gpulse
