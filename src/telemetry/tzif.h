// Reads TZif (RFC 9636), the compiled form in which time zones come.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "telemetry/error.h"
#include "telemetry/posix_zone.h"

namespace gpulse {

// When a zone's offset from UTC was what. Immutable; any thread.
class ZoneRules {
 public:
  // Reads the 64-bit part and the footer of version 2 or later. Any bytes may be given: what is
  // damaged, cut short, or counts leap seconds is an input error. Keeps nothing of the bytes.
  [[nodiscard]] static Expected<ZoneRules> parse(std::span<const unsigned char> tzif);

  [[nodiscard]] static ZoneRules fixed(std::chrono::seconds offset);

  // The span that `time` lies in. Neighbouring spans may have one and the same offset.
  [[nodiscard]] OffsetSpan at(UtcSeconds time) const;

 private:
  struct Change {
    UtcSeconds at;
    std::chrono::seconds offset;  // from then on
  };

  std::chrono::seconds first_offset_{};  // before all changes
  std::vector<Change> changes_;  // ascending; the last one also where it changes nothing,
  std::optional<PosixZone> footer_;  // since the footer holds from there
};

}  // namespace gpulse
