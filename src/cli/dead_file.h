// The lines that an InfluxDB refused for good under `gpulse run --to`, where there is no topic for
// them: a JSON object a line in a file of the outlet, which grows up to a limit and is never cut.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "telemetry/error.h"
#include "telemetry/sample_batch.h"
#include "telemetry/timestamp.h"

namespace gpulse::cli {

struct DeadLine {
  Timestamp time;  // when it was set aside
  std::string to;  // the address that refused it
  Device device;
  std::string source;
  std::int64_t offset = 0;  // of its row in the log
  std::string reason;
  std::string line;  // in InfluxDB's line protocol
};

// Used by one thread at a time; another process may add to the file meanwhile.
class DeadFile {
 public:
  static constexpr std::uintmax_t kBytesMax = std::uintmax_t{16} << 20;

  // Made for the first line. Operation errors.
  [[nodiscard]] static Expected<DeadFile> open(std::filesystem::path path);

  // Durable on return. A line that waits there already, from before a kill, is not kept twice.
  // False: the file is full, and the line is not kept.
  [[nodiscard]] Expected<bool> add(const DeadLine& line);
  // That the line at this place was sent again.
  [[nodiscard]] Expected<void> note_resent(const std::string& place);
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  // In the file's order; a place is a line number. What is no such line, as one that a kill cut
  // short, is passed over.
  struct Visitor {
    std::function<Expected<void>(const std::string& place, DeadLine line)> line;
    std::function<void(const std::string& place)> resent;
  };
  [[nodiscard]] static Expected<void> visit(const std::filesystem::path& path,
                                            const Visitor& visitor);

 private:
  explicit DeadFile(std::filesystem::path path) : path_(std::move(path)) {}
  [[nodiscard]] Expected<void> append(std::string text);

  std::filesystem::path path_;
  std::set<std::pair<std::string, std::int64_t>> waiting_;  // source and offset
};

}  // namespace gpulse::cli
