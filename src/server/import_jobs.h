// Old logs that are being imported: the server's view of whoever does it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "telemetry/error.h"
#include "telemetry/sample_batch.h"

namespace gpulse {

enum class JobState { waiting, reading, done, cancelled, failed };
[[nodiscard]] std::string_view to_string(JobState state);

struct JobError {
  std::string message;
  std::string
      begins_with;  // the first bytes of what was no GPU-Z log, made printable; may be empty
};

struct ImportJob {
  std::string id;
  std::string name;  // of the file, as the one who sent it calls it
  JobState state = JobState::waiting;
  std::int64_t bytes = 0;
  std::int64_t bytes_read = 0;
  std::int64_t rows = 0;
  std::int64_t sessions = 0;
  std::int64_t set_aside = 0;
  Device device;  // empty names until it is known
  std::optional<JobError> error;  // when failed
};

struct ImportRequest {
  std::string name;
  std::optional<std::string> host;
  std::optional<std::string> gpu;
  std::optional<std::string> timezone;
};

// All members may be called from any thread, and return soon: the work is done elsewhere.
class ImportJobs {
 public:
  virtual ~ImportJobs() = default;

  // Takes the file over when it succeeds, and removes it when the job has ended; else it stays the
  // caller's. Returns the job's id.
  [[nodiscard]] virtual Expected<std::string> start(const std::filesystem::path& file,
                                                    const ImportRequest& request) = 0;
  // In the order of their start.
  [[nodiscard]] virtual std::vector<ImportJob> list() const = 0;
  [[nodiscard]] virtual std::optional<ImportJob> find(const std::string& id) const = 0;
  // What the job had imported is taken back. A job that has ended stays as it is. False: no such
  // job.
  [[nodiscard]] virtual bool cancel(const std::string& id) = 0;
};

}  // namespace gpulse
