// Serves the API, the live stream, /metrics, /healthz and the page over HTTP/1.1.
//
//   auto server = HttpServer::build(options, parts);
//   if (!server) return server.error();
//   print((*server)->url());
//   return (*server)->run(stop);
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "server/health.h"
#include "server/import_jobs.h"
#include "server/limits.h"
#include "server/listen_options.h"
#include "server/live_hub.h"
#include "server/prometheus.h"
#include "store/history.h"
#include "stream/alert.h"
#include "telemetry/error.h"

namespace gpulse {

inline constexpr std::uint16_t kServerPortDefault = 8337;

struct ServerOptions {
  ListenOptions listen{"localhost", kServerPortDefault, {}, {}};
  // Where uploads go until their job has read them.
  std::filesystem::path spool_folder;
};

// What is served. All that is referred to must outlive the server.
struct ServerParts {
  const History& history;
  std::vector<AlertRule> rules;
  ImportJobs& jobs;
  LiveHub& hub;
  const Clock& clock;
  ExporterOptions exporter;
  std::function<ProgramState()> program;  // called on any thread
};

class HttpServer {
 public:
  // Pure but for reading the token file. Usage errors.
  [[nodiscard]] static Expected<void> validate(const ServerOptions& options);
  // Binds, and starts nothing. The error of a port in use names it and what to do.
  [[nodiscard]] static Expected<std::unique_ptr<HttpServer>> build(const ServerOptions& options,
                                                                   ServerParts parts);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // The port that it listens on, also when any was asked for.
  [[nodiscard]] std::uint16_t port() const;
  // Where a browser on this machine finds the page: "http://127.0.0.1:8337/".
  [[nodiscard]] std::string url() const;

  // Serves on the calling thread, with two more for answers, until asked to stop. Then scans of the
  // history end at once, with an error to who asked, and what else is being answered finishes, for
  // kStopGrace at most. Once.
  [[nodiscard]] Expected<void> run(const std::stop_token& stop);

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gpulse
