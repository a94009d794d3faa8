// Serves the API, the live stream, /metrics, /healthz and the page over HTTP/1.1.
//
//   auto server = HttpServer::build(options, parts);
//   if (!server) return server.error();
//   print((*server)->url());
//   return (*server)->run(stop);
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "server/import_jobs.h"
#include "server/live_hub.h"
#include "server/prometheus.h"
#include "store/history.h"
#include "stream/alert.h"
#include "telemetry/error.h"

namespace gpulse {

inline constexpr std::uint16_t kServerPortDefault = 8337;

// Beyond these a client is refused, cut off, or waits.
inline constexpr std::size_t kHeaderBytesMax = 16 * std::size_t{1024};
inline constexpr std::size_t kIgnoredBodyBytesMax = 64 * std::size_t{1024};
inline constexpr std::size_t kConnectionsMax = 256;
inline constexpr std::size_t kLiveClientsMax = 64;
inline constexpr std::chrono::seconds kRequestTimeout{30};  // idle, and until its header is whole
inline constexpr std::chrono::seconds kTransferTimeout{30};  // for each piece of a body
inline constexpr std::chrono::seconds kLiveKeepAlive{15};
inline constexpr std::chrono::milliseconds kLiveInterval{25};  // least time between two pushes
inline constexpr std::chrono::seconds kStopGrace{2};  // for what is being answered

struct ServerOptions {
  // "localhost" (127.0.0.1, and ::1 where there is IPv6), or an address: "0.0.0.0", "192.168.1.5".
  std::string listen = "localhost";
  std::uint16_t port = kServerPortDefault;  // 0: any free one
  // Needed for an address beyond this machine; read once. Empty: no token.
  std::filesystem::path token_file;
  // Further names by which it is reached, see AccessOptions; beyond this machine its own is among
  // them.
  std::vector<std::string> host_names;
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
  std::vector<std::string> followed;  // files that rows are awaited from, for people
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
