#include "server/outlet_state.h"

#include <string_view>
#include <utility>

namespace gpulse {
namespace {

std::string_view to_string(OutletState::Kind kind) {
  switch (kind) {
    case OutletState::Kind::idle: return "idle";
    case OutletState::Kind::connected: return "connected";
    case OutletState::Kind::away: return "away";
    case OutletState::Kind::refused: return "refused";
  }
  std::unreachable();
}

}  // namespace

void write_outlet(JsonWriter& json, const OutletState& outlet) {
  json.begin_object().member("to", outlet.to).member("state", to_string(outlet.kind));
  json.member("reason", outlet.reason).member("rows", outlet.rows);
  json.member("set_aside", outlet.set_aside).member("dropped", outlet.dropped);
  json.member("last_taken", outlet.last_taken);
  json.end_object();
}

}  // namespace gpulse
