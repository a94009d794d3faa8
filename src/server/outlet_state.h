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
  std::uint64_t rows = 0;       // that it has, as it said
  std::uint64_t set_aside = 0;  // that it refused for good
  std::uint64_t dropped = 0;    // that it took and did not store, as it said; not among `rows`
  std::optional<Timestamp> last_taken;
};

// {"to","state","reason","rows","set_aside","dropped","last_taken"}
void write_outlet(JsonWriter& json, const OutletState& outlet);

}  // namespace gpulse
