// The embedded program: feeds, store, live push and server in one process.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "server/http_server.h"
#include "store/store.h"
#include "telemetry/time_zone.h"

namespace gpulse::cli {

struct LogChoice {
  std::filesystem::path file;
  Device device;
};

struct EmbeddedOptions {
  struct Replay {
    double speed = 1;  // 0: without pause
    std::chrono::microseconds history{0};
    bool loop = false;
    bool keep_time = false;
  };
  std::vector<LogChoice> logs;
  std::string host;  // of what is dropped on the page
  std::shared_ptr<const TimeZone> zone;
  bool rezone = false;
  std::optional<Replay> replay;  // instead of following
  StoreOptions store;
  ServerOptions server;
};

class Embedded {
 public:
  // Opens the store and binds the port; starts nothing. `clock` must outlive it.
  [[nodiscard]] static Expected<std::unique_ptr<Embedded>> build(EmbeddedOptions options,
                                                                 const Clock& clock);
  ~Embedded();

  [[nodiscard]] std::string url() const;
  // Serves on the calling thread, with a thread a log, until a stop is requested. A log that fails for
  // good is told of; when it was the last one, that is how the run ends.
  [[nodiscard]] Expected<void> run(std::stop_source& stop);

 private:
  struct Parts;
  explicit Embedded(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace gpulse::cli
