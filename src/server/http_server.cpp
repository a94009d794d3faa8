#include "server/http_server.h"

#include <utility>

#include "server/router.h"
#include "server/server_loop.h"
#include "server/spool_file.h"
#include "server/stoppable_history.h"

namespace gpulse {

struct HttpServer::Impl {
  Impl(const ServerOptions& options, ServerParts parts, Listening listening)
      : history(parts.history, scans.get_token()),
        api(history, parts.rules, parts.jobs,
            [program = parts.program] { return program().outlets; }),
        exporter(parts.history, std::move(parts.rules), parts.clock, parts.exporter),
        router(Access(std::move(listening.access)), api, exporter, WebAssets::built_in(),
               parts.history, parts.hub, parts.clock, std::move(parts.program)),
        port(listening.port),
        url(std::move(listening.url)),
        loop(
            std::move(listening.io), std::move(listening.acceptors),
            {router, parts.clock, &api, &parts.hub, parts.exporter.version, options.spool_folder}) {
  }

  std::stop_source scans;  // stopped with the server: an answer over years must not hold it up
  const StoppableHistory history;
  const Api api;
  const Exporter exporter;
  const Router router;
  const std::uint16_t port;
  const std::string url;
  ServerLoop loop;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

Expected<void> HttpServer::validate(const ServerOptions& options) {
  if (auto valid = gpulse::validate(options.listen); !valid) return valid;
  if (options.spool_folder.empty()) return usage_error("uploads need a spool folder");
  return {};
}

Expected<std::unique_ptr<HttpServer>> HttpServer::build(const ServerOptions& options,
                                                        ServerParts parts) {
  if (auto valid = validate(options); !valid) return std::unexpected(std::move(valid).error());
  auto listening = start_listening(options.listen);
  if (!listening) return std::unexpected(std::move(listening).error());
  SpoolFile::remove_partial(options.spool_folder);
  return std::unique_ptr<HttpServer>(
      new HttpServer(std::make_unique<Impl>(options, std::move(parts), *std::move(listening))));
}

std::uint16_t HttpServer::port() const { return impl_->port; }

std::string HttpServer::url() const { return impl_->url; }

Expected<void> HttpServer::run(const std::stop_token& stop) {
  const std::stop_callback on_stop(stop, [this] { impl_->scans.request_stop(); });
  return impl_->loop.run(stop);
}

}  // namespace gpulse
