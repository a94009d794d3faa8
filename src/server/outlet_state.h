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
    idle,       // nothing has been heard of it yet
    connected,  // it has answered, and not failed since
    away,       // tried until it is back
    refused,    // gets nothing more until the next start
  };

  std::string to;  // its address, for people
  Kind kind = Kind::idle;
  std::string reason;                      // of away and refused
  // Since the start.
  std::uint64_t rows = 0;       // taken by it
  std::uint64_t set_aside = 0;  // refused for good
  std::uint64_t dropped = 0;    // taken and not stored, as it said
  std::optional<Timestamp> last_taken;
};

// {"to","state","reason","rows","set_aside","dropped","last_taken"}
void write_outlet(JsonWriter& json, const OutletState& outlet);

}  // namespace gpulse
