// Answers time_zone_oracle.py: reads "z NAME", "u SECONDS" (UTC) and "l SECONDS" (wall clock) lines
// and writes a line for each of the last two.
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>

#include "telemetry/time_zone.h"

int main() {
  std::ios::sync_with_stdio(false);
  std::cin.tie(nullptr);
  std::shared_ptr<const gpulse::TimeZone> zone;
  const auto count = [](auto time) { return time.time_since_epoch().count(); };
  for (char question = 0; std::cin >> question;) {
    if (question == 'z') {
      std::string name;
      std::cin >> name;
      auto found = gpulse::TimeZone::find(name);
      if (!found) {
        std::cerr << found.error().message << '\n';
        return 1;
      }
      zone = *std::move(found);
      continue;
    }
    std::int64_t number = 0;
    std::cin >> number;
    const std::chrono::seconds seconds{number};
    if (question == 'u') {
      std::cout << zone->offset_at(gpulse::UtcSeconds{seconds}).count() << '\n';
    } else {
      const auto resolved = zone->resolve(gpulse::LocalSeconds{seconds});
      std::cout << static_cast<int>(resolved.kind) << ' ' << count(resolved.first) << ' '
                << count(resolved.second) << ' ' << count(resolved.same_from) << ' '
                << count(resolved.same_until) << '\n';
    }
  }
}
