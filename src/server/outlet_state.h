// What is known of the places that rows are sent to, beside being kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "server/json_writer.h"
#include "telemetry/timestamp.h"

namespace gpulse {

struct OutletState {
  enum class Kind {
    idle,       // nothing was to be sent since the start, so that nothing is known of it
    connected,  // it has answered, and not failed since
    away,       // tried until it is back
    refused,    // gets nothing more until the next start
  };

  std::string to;  // its address, for people
  Kind kind = Kind::idle;
  std::string reason;                      // of away and refused
  std::uint64_t rows = 0;                  // delivered since the start
  std::optional<Timestamp> last_delivery;  // since the start
  std::uint64_t set_aside = 0;             // refused for good since the start
};

// {"to","state","reason","rows","last_delivery","set_aside"}
void write_outlet(JsonWriter& json, const OutletState& outlet);

}  // namespace gpulse
