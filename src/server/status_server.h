// /metrics and /healthz of a command that has no page.
//
//   auto server = StatusServer::build(options, pages);
//   if (!server) return server.error();
//   std::jthread serving([&](std::stop_token stop) { ended = (*server)->run(stop); });
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "server/listen_options.h"
#include "server/site.h"
#include "telemetry/error.h"
#include "telemetry/timestamp.h"

namespace gpulse {

// Any thread, several at once. What they refer to must outlive the server.
struct StatusPages {
  // What Prometheus reads.
  std::function<std::string(const RequestCounters&)> metrics;
  std::function<Response()> health;
};

class StatusServer {
 public:
  // Binds, and starts nothing. Errors as HttpServer's. `clock` must outlive it.
  [[nodiscard]] static Expected<std::unique_ptr<StatusServer>> build(const ListenOptions& options,
                                                                     StatusPages pages,
                                                                     const Clock& clock);
  ~StatusServer();
  StatusServer(const StatusServer&) = delete;
  StatusServer& operator=(const StatusServer&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::string url() const;

  // Serves on the calling thread until asked to stop. Once.
  [[nodiscard]] Expected<void> run(const std::stop_token& stop);

 private:
  struct Impl;
  explicit StatusServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gpulse
