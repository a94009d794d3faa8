// An upload on its way to disk: as it comes, whatever its size.
#pragma once

#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include "telemetry/error.h"

namespace gpulse {

// Removed with the object unless release() was called. Not thread-safe. Errors are of operation: a
// disk that is full may have room later.
class SpoolFile {
 public:
  // A new file of its own name in `folder`, which is made if missing.
  [[nodiscard]] static Expected<SpoolFile> create(const std::filesystem::path& folder);
  // Removes what a killed program left half-written.
  static void remove_partial(const std::filesystem::path& folder);

  SpoolFile(SpoolFile&& other) noexcept;
  SpoolFile& operator=(SpoolFile&&) = delete;
  ~SpoolFile();

  [[nodiscard]] Expected<void> write(std::span<const char> bytes);
  // The whole file, closed, under its final name.
  [[nodiscard]] Expected<std::filesystem::path> finish();
  // From now on it is somebody else's.
  void release() { path_.clear(); }

 private:
  SpoolFile(std::filesystem::path path, std::ofstream stream)
      : path_(std::move(path)), stream_(std::move(stream)) {}

  std::filesystem::path path_;
  std::ofstream stream_;
};

}  // namespace gpulse
