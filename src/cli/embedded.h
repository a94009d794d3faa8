// The embedded program: feeds, store, live push and server in one process.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "cli/log_options.h"
#include "server/http_server.h"
#include "store/store.h"

namespace gpulse::cli {

struct EmbeddedOptions {
  LogPlan logs;
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
  // Serves on the calling thread, with a thread a log, until a stop is requested. A log that fails
  // for good is told of; when it was the last one, that is how the run ends.
  [[nodiscard]] Expected<void> run(std::stop_source& stop);

 private:
  struct Parts;
  explicit Embedded(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace gpulse::cli
