#include "server/status_server.h"

#include <utility>

#include "server/server_loop.h"

namespace gpulse {
namespace {

class StatusSite final : public Site {
 public:
  StatusSite(Access access, StatusPages pages)
      : access_(std::move(access)), pages_(std::move(pages)) {}

  std::optional<Response> refuse(const Request& request) const override {
    constexpr std::string_view kRead = "GET, HEAD";
    if (auto refusal = access_.refuse(request)) return refusal;
    if (request.path != "/metrics" && request.path != "/healthz") return nothing_there(request);
    if (!allows(kRead, request.method)) return method_not_allowed(request, kRead);
    return std::nullopt;
  }
  Work work(const Request& /*request*/) const override { return Work::answer; }
  Response answer(const Request& request, const RequestCounters& requests) const override {
    if (request.path == "/healthz") return pages_.health();
    return metrics_response(pages_.metrics(requests));
  }

 private:
  const Access access_;
  const StatusPages pages_;
};

}  // namespace

struct StatusServer::Impl {
  Impl(Listening listening, StatusPages pages, const Clock& clock)
      : site(Access(std::move(listening.access)), std::move(pages)),
        port(listening.port),
        url(std::move(listening.url)),
        loop(std::move(listening.io), std::move(listening.acceptors), {site, clock}) {}

  const StatusSite site;
  const std::uint16_t port;
  const std::string url;
  ServerLoop loop;
};

StatusServer::StatusServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StatusServer::~StatusServer() = default;

Expected<std::unique_ptr<StatusServer>> StatusServer::build(const ListenOptions& options,
                                                            StatusPages pages, const Clock& clock) {
  auto listening = start_listening(options);
  if (!listening) return std::unexpected(std::move(listening).error());
  return std::unique_ptr<StatusServer>(
      new StatusServer(std::make_unique<Impl>(*std::move(listening), std::move(pages), clock)));
}

std::uint16_t StatusServer::port() const { return impl_->port; }

std::string StatusServer::url() const { return impl_->url; }

Expected<void> StatusServer::run(const std::stop_token& stop) { return impl_->loop.run(stop); }

}  // namespace gpulse
