// Which sources are being read: each by one at a time.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "telemetry/error.h"

namespace gpulse {

class SourceClaims;

// Of one source, held by whoever reads it. Given back when it goes, which must be before the claims
// do. Any one thread at a time.
class SourceClaim {
 public:
  SourceClaim() = default;  // of nothing
  SourceClaim(SourceClaim&& other) noexcept;
  SourceClaim& operator=(SourceClaim&& other) noexcept;
  ~SourceClaim();

 private:
  friend class SourceClaims;
  SourceClaim(SourceClaims& claims, std::string source)
      : claims_(&claims), source_(std::move(source)) {}
  SourceClaims* claims_ = nullptr;
  std::string source_;
};

// Any thread.
class SourceClaims {
 public:
  // For reading that source from `file`. An input error that names the other file when it is being
  // read already.
  [[nodiscard]] Expected<SourceClaim> claim(const std::string& source, const std::string& file);

 private:
  friend class SourceClaim;
  std::mutex mutex_;
  std::map<std::string, std::string> files_;  // that sources are being read from, by source
};

}  // namespace gpulse
