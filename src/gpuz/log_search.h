// Looking for GPU-Z's log where nobody has named it.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "platform/file.h"
#include "platform/gpuz_places.h"
#include "telemetry/timestamp.h"

namespace gpulse {

struct FoundLog {
  std::filesystem::path file;
  Timestamp written;
  ReadFile::Identity identity;
};

// "GPU-Z Sensor Log.txt", and what a person or a browser makes of it: letters of either case, with
// something between the two ("GPU-Z Sensor Log (2).txt").
[[nodiscard]] bool is_log_name(std::string_view name);

// The logs of that name in a place, without its subfolders, and where a place is a file: that. Only
// what is a log or may become one. In any order; a place that is not there has none.
[[nodiscard]] std::vector<FoundLog> logs_in(const GpuzPlace& place);

// Looks into places again and again. One thread; it uses one of its own for each place, since a
// drive that is gone may keep who looks for minutes.
class LogSearch {
 public:
  using Look = std::function<std::vector<FoundLog>(const GpuzPlace& place)>;

  // A look takes no longer than `patience`. `look` is called on several threads at once, and must
  // be good for as long as the process lives.
  explicit LogSearch(std::vector<GpuzPlace> places,
                     std::chrono::milliseconds patience = std::chrono::seconds{2},
                     Look look = logs_in);
  ~LogSearch();

  // What is there now, the newest first, each file once by whatever ways it is found: under the
  // name in the first place of them. A place that does not answer in time is left out, and asked
  // again once it has.
  [[nodiscard]] std::vector<FoundLog> look();

  // Those that did not answer the last look.
  [[nodiscard]] std::vector<GpuzPlace> silent() const;

 private:
  struct Looker;

  const std::chrono::milliseconds patience_;
  const Look look_;
  std::vector<std::shared_ptr<Looker>> lookers_;
};

}  // namespace gpulse
