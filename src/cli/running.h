// One `gpulse run` that another start of it finds.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "telemetry/error.h"
#include "telemetry/timestamp.h"

namespace gpulse::cli {

// What a running program tells of itself in its data folder.
struct RunningNote {
  std::string url;  // "http://127.0.0.1:8337/"
  Timestamp started;  // to the microsecond, which also tells it from whatever took its port later
  std::string host;  // the machine's name
  std::string token_file;  // absolute; empty: no token
  std::vector<std::string> asked;  // its options, as asked_of() has them
};

// The note on disk, "running.json", for as long as it lives: one program at a time has the folder.
class RunningFile {
 public:
  // Written as a whole or not at all, and for this user alone. Operation errors.
  [[nodiscard]] static Expected<RunningFile> write(const std::filesystem::path& folder,
                                                   const RunningNote& note);
  ~RunningFile();
  RunningFile(RunningFile&& other) noexcept;
  RunningFile& operator=(RunningFile&&) = delete;

 private:
  explicit RunningFile(std::filesystem::path file) : file_(std::move(file)) {}
  std::filesystem::path file_;
};

// A program of this user on this machine that has just answered.
struct Running {
  RunningNote note;
  std::filesystem::path data;
  std::vector<std::string> followed;
  std::string page;  // the address for a browser, the token included
};

// The one that has the data folder; none when nobody has it, or whoever has it is not proven to be
// that. Waits for one that is only starting, some seconds.
[[nodiscard]] std::optional<Running> running_on(const std::filesystem::path& folder);

// The one that serves at "127.0.0.1:8337"; none when another program does, or another user's.
[[nodiscard]] std::optional<Running> running_at(const std::string& address);

}  // namespace gpulse::cli
