// The embedded program: feeds, store, live push and server in one process.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/log_options.h"
#include "server/health.h"
#include "server/http_server.h"
#include "server/log_importer.h"
#include "store/store.h"

namespace gpulse::cli {

struct EmbeddedOptions {
  std::string host;                      // of uploaded logs
  std::shared_ptr<const TimeZone> zone;  // ... where nothing else is said
  StoreOptions store;
  ServerOptions server;
  // See ImporterOptions: of logs that were dropped on the page.
  decltype(ImporterOptions::read) imported;
  // See ExporterOptions.
  decltype(ExporterOptions::more) metrics;
  // Where rows are sent to, too; called on any thread.
  std::function<std::vector<OutletState>()> outlets;
};

class Embedded {
 public:
  // Opens the store and binds the port; starts nothing. `clock` must outlive it.
  [[nodiscard]] static Expected<std::unique_ptr<Embedded>> build(EmbeddedOptions options,
                                                                 const Clock& clock);
  ~Embedded();

  [[nodiscard]] std::string url() const;
  [[nodiscard]] Timestamp started() const;
  // Places where a log is looked for, to be shown until follow().
  void set_searched(std::vector<std::string> places);
  // Follows (or replays) these logs, a thread each, until the stop; both must outlive it. At most
  // once, before run() or during it, on any thread. Nothing once the stop is requested.
  void follow(const LogPlan& plan, std::stop_source& stop);
  // Serves on the calling thread until the stop that follow() was given, too. A log that fails for
  // good is told of; when it was the last one, that is how the run ends.
  [[nodiscard]] Expected<void> run(std::stop_source& stop);

 private:
  struct Parts;
  explicit Embedded(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace gpulse::cli
