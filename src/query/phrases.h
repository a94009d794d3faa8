// How numbers, times and metrics are said in sentences. Of use inside query/ only.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "query/statistics.h"
#include "telemetry/time_zone.h"
#include "telemetry/timestamp.h"

namespace gpulse {

// "1 995.0" with U+202F between thousands and U+2212 as minus.
[[nodiscard]] std::string say_number(double value, int decimals);
[[nodiscard]] std::string say_number(std::int64_t value);
// As few decimals as say it: "80", "82.5". For limits.
[[nodiscard]] std::string say_limit(double value);
// "9 s", "2 min 04 s", "15 min", "1 h 20 min", "24 h", "3 d 4 h".
[[nodiscard]] std::string say_duration(std::chrono::microseconds duration);
// "GPU", "hot spot", "board"; what has no short name: its own with spaces, "_temperature" cut.
[[nodiscard]] std::string say_metric(std::string_view metric);
// For two and more: "twice", "3 times".
[[nodiscard]] std::string say_times(std::size_t times);
// The first letter made a capital one.
[[nodiscard]] std::string capitalised(std::string text);
// Joined with " · ", empty parts left out.
[[nodiscard]] std::string joined(const std::vector<std::string>& parts);

// Says instants of a range in a zone: dates only where the range is longer than a day, years where
// it is longer than 300 days.
class TimePhrases {
 public:
  TimePhrases(TimeRange range, std::shared_ptr<const TimeZone> zone);

  // "at 11:23:44", "on 16 Jun at 11:23:44", "on 16 Jun 2023 at 11:23:44"
  [[nodiscard]] std::string at(Timestamp time) const;
  // "11:23:44", "16 Jun 11:23:44", ...
  [[nodiscard]] std::string bare(Timestamp time) const;

 private:
  [[nodiscard]] std::string date(Timestamp time) const;
  [[nodiscard]] std::string clock(Timestamp time) const;
  [[nodiscard]] std::chrono::local_seconds local(Timestamp time) const;

  std::chrono::microseconds length_;
  std::shared_ptr<const TimeZone> zone_;
};

}  // namespace gpulse
