// Local time to UTC and back, from IANA data that travel with the program: gcc 12 has no time-zone
// library, and Windows no zone files.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/error.h"

namespace gpulse {

using LocalSeconds = std::chrono::local_seconds;
using UtcSeconds = std::chrono::sys_seconds;

// Immutable; any thread.
class TimeZone {
 public:
  // An IANA name ("Europe/Berlin", also the old aliases, any case), Windows' name for one ("W.
  // Europe Standard Time", by Unicode's CLDR), "UTC", or a fixed offset ("+02:00", "-0330", "+02").
  // An unknown name is a usage error that offers the nearest names.
  [[nodiscard]] static Expected<std::shared_ptr<const TimeZone>> find(std::string_view name);
  // The IANA names that find() takes, sorted; they live as long as the program.
  [[nodiscard]] static std::vector<std::string_view> names();

  // local = UTC + offset. Seconds east of Greenwich in force at that instant. After the zone's last
  // known change its rule goes on, up to the year 30000.
  [[nodiscard]] std::chrono::seconds offset_at(UtcSeconds time) const;

  // What a wall clock reading can mean. Exactly one instant, mostly; two in the hour that a change
  // back repeats (first < second); none in the hour that a change forward skips, where both hold
  // the instant that the offset before the change gives (as Python's zoneinfo does for fold=0).
  struct Resolved {
    enum class Kind { unique, skipped, repeated } kind = Kind::unique;
    UtcSeconds first;
    UtcSeconds second;
    // Every local time in [same_from, same_until) resolves by the same offsets and kind: lets a
    // reader of many rows skip the search. Reaches to the change itself, or to a day or so from it.
    LocalSeconds same_from;
    LocalSeconds same_until;
  };
  [[nodiscard]] Resolved resolve(LocalSeconds local) const;

  // As the data spell it ("Europe/Berlin", "+02:00"): find(name()) is the same zone.
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  struct Impl;
  explicit TimeZone(std::string name, std::unique_ptr<Impl> impl);
  std::string name_;
  std::unique_ptr<Impl> impl_;

 public:
  ~TimeZone();
};

}  // namespace gpulse
