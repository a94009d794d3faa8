#include "server/http_server.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/host_name.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "server/connection.h"
#include "server/spool_file.h"
#include "server/stoppable_history.h"

namespace gpulse {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// How often a free port is tried that the other address family must have free too.
constexpr int kPortTriesMax = 10;
// Out of file handles: wait for connections to end.
constexpr std::chrono::milliseconds kAcceptPause{100};

constexpr std::string_view kBusy =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

Expected<std::vector<asio::ip::address>> addresses_of(const std::string& listen) {
  if (listen.empty() || listen == "localhost") {
    return std::vector<asio::ip::address>{asio::ip::address_v4::loopback(),
                                          asio::ip::address_v6::loopback()};
  }
  error_code error;
  const auto address = asio::ip::make_address(listen, error);
  if (!error) return std::vector{address};
  return usage_error("cannot listen on \"" + listen +
                     "\": give localhost, or an address of this machine (0.0.0.0 for all)");
}

std::string bracketed(const asio::ip::address& address) {
  return address.is_v6() ? '[' + address.to_string() + ']' : address.to_string();
}

Error listen_error(const tcp::endpoint& endpoint, error_code error) {
  const std::string port = std::to_string(endpoint.port());
  const std::string where = bracketed(endpoint.address()) + ':' + port;
  if (error == asio::error::address_in_use) {
    return {ErrorKind::operation,
            "port " + port + " is in use on " + endpoint.address().to_string() +
                ": is gpulse running already? Choose another with --port, or any free one with "
                "--port 0",
            true};
  }
  if (error == asio::error::access_denied) {
    return {ErrorKind::operation,
            "cannot listen on " + where +
                ": a port below 1024 needs rights that this program "
                "does not have; choose another with --port",
            false};
  }
  return {ErrorKind::operation, "cannot listen on " + where + ": " + error.message(), true};
}

std::expected<tcp::acceptor, error_code> listen_on(asio::io_context& io,
                                                   const tcp::endpoint& endpoint) {
  // On Windows this option would let another program take the port over; elsewhere, without it, a
  // restart has to wait for old connections to be forgotten.
  constexpr bool kReuse = std::filesystem::path::preferred_separator == '/';
  tcp::acceptor acceptor(io);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error && kReuse) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) {
    const bool all = endpoint.address().is_unspecified();
    acceptor.set_option(asio::ip::v6_only(!all), error);
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (error) return std::unexpected(error);
  return acceptor;
}

// A machine without IPv6 still has a loopback.
bool is_missing_family(error_code error) {
  return error == asio::error::address_family_not_supported ||
         error == error_code(boost::system::errc::address_not_available,
                             boost::system::generic_category()) ||
         error == asio::error::network_unreachable;
}

std::uint16_t port_of(const tcp::acceptor& acceptor) {
  error_code ignored;
  return acceptor.local_endpoint(ignored).port();
}

// All addresses on one port.
Expected<std::vector<tcp::acceptor>> listen_on_all(asio::io_context& io,
                                                   const std::vector<asio::ip::address>& addresses,
                                                   std::uint16_t asked) {
  for (int tries = 0;; ++tries) {
    std::vector<tcp::acceptor> out;
    std::optional<Error> failed;
    std::uint16_t port = asked;
    for (const auto& address : addresses) {
      auto acceptor = listen_on(io, {address, port});
      if (acceptor) {
        out.push_back(std::move(*acceptor));
        port = port_of(out.back());
      } else if (out.empty() || !is_missing_family(acceptor.error())) {
        failed = listen_error({address, port}, acceptor.error());
        break;
      }
    }
    if (!failed) return out;
    if (asked != 0 || tries >= kPortTriesMax) return std::unexpected(*std::move(failed));
  }
}

bool all_loopback(const std::vector<asio::ip::address>& addresses) {
  for (const auto& address : addresses) {
    if (!address.is_loopback()) return false;
  }
  return true;
}

Expected<std::string> token_of(const ServerOptions& options,
                               const std::vector<asio::ip::address>& addresses) {
  if (!options.token_file.empty()) return read_token_file(options.token_file);
  if (all_loopback(addresses)) return std::string();
  return usage_error(
      "listening on " + options.listen +
      " lets other machines in, so it needs a token: put 16 or more random "
      "characters into a file that only you can read, and name it with --token-file");
}

}  // namespace

struct HttpServer::Impl {
  Impl(const ServerOptions& options, ServerParts parts, AccessOptions access,
       std::unique_ptr<asio::io_context> io_made, std::vector<tcp::acceptor> acceptors_made)
      : history(parts.history, scans.get_token()),
        api(history, parts.rules, parts.jobs),
        exporter(parts.history, std::move(parts.rules), parts.clock, parts.exporter),
        router(Access(std::move(access)), api, exporter, WebAssets::built_in(), parts.history,
               parts.clock, std::move(parts.followed)),
        context{
            *io_made, router, parts.hub, parts.clock, parts.exporter.version, options.spool_folder},
        io(std::move(io_made)),
        acceptors(std::move(acceptors_made)) {}

  asio::awaitable<void> accept(tcp::acceptor& acceptor);
  void admit(tcp::socket socket);
  void begin_stop();
  void serve_until_stopped();

  std::stop_source scans;  // stopped with the server: an answer over years must not hold it up
  const StoppableHistory history;
  const Api api;
  const Exporter exporter;
  const Router router;
  ServerContext context;
  std::unique_ptr<asio::io_context> io;  // goes before the context, with all that waits in it
  std::vector<tcp::acceptor> acceptors;
  std::uint16_t port = 0;
  std::string url;
};

asio::awaitable<void> HttpServer::Impl::accept(tcp::acceptor& acceptor) {
  while (!context.stopping) {
    auto [error, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (context.stopping) co_return;
    if (error) {
      asio::steady_timer pause(*io, kAcceptPause);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    } else {
      admit(std::move(socket));
    }
  }
}

void HttpServer::Impl::admit(tcp::socket socket) {
  error_code ignored;
  if (context.connections.size() >= kConnectionsMax) {
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(kBusy), ignored);
    return;
  }
  // An event is small and should leave at once.
  socket.set_option(tcp::no_delay(true), ignored);
  serve(context, std::move(socket));
}

void HttpServer::Impl::begin_stop() {
  context.stopping = true;
  error_code ignored;
  for (tcp::acceptor& acceptor : acceptors) acceptor.close(ignored);
  const std::vector<Connection*> open(context.connections.begin(), context.connections.end());
  for (Connection* connection : open) stop(*connection);
  io->stop();
}

void HttpServer::Impl::serve_until_stopped() {
  for (tcp::acceptor& acceptor : acceptors) {
    asio::co_spawn(*io, accept(acceptor), asio::detached);
  }
  io->run();
  io->restart();
  io->run_for(kStopGrace);
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

Expected<void> HttpServer::validate(const ServerOptions& options) {
  const auto addresses = addresses_of(options.listen);
  if (!addresses) return std::unexpected(addresses.error());
  if (auto token = token_of(options, *addresses); !token) {
    return std::unexpected(std::move(token).error());
  }
  if (options.spool_folder.empty()) return usage_error("uploads need a spool folder");
  return {};
}

Expected<std::unique_ptr<HttpServer>> HttpServer::build(const ServerOptions& options,
                                                        ServerParts parts) {
  if (auto valid = validate(options); !valid) return std::unexpected(std::move(valid).error());
  const auto addresses = addresses_of(options.listen);
  auto token = token_of(options, *addresses);
  if (!token) return std::unexpected(std::move(token).error());
  auto io = std::make_unique<asio::io_context>(1);
  auto acceptors = listen_on_all(*io, *addresses, options.port);
  if (!acceptors) return std::unexpected(std::move(acceptors).error());

  const std::uint16_t port = port_of(acceptors->front());
  const auto& address = addresses->front();
  const std::string here =
      (address.is_unspecified() ? "127.0.0.1" : bracketed(address)) + ':' + std::to_string(port);
  AccessOptions access{port, all_loopback(*addresses), options.host_names, *std::move(token)};
  access.host_names.push_back(here);
  if (!access.loopback) {
    // The name by which other machines mostly know this one.
    error_code unnamed;
    const std::string name = asio::ip::host_name(unnamed);
    if (!unnamed) access.host_names.push_back(name);
  }
  auto impl = std::make_unique<Impl>(options, std::move(parts), std::move(access), std::move(io),
                                     *std::move(acceptors));
  impl->port = port;
  impl->url = "http://" + here + '/';
  SpoolFile::remove_partial(options.spool_folder);
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

std::uint16_t HttpServer::port() const { return impl_->port; }

std::string HttpServer::url() const { return impl_->url; }

Expected<void> HttpServer::run(const std::stop_token& stop) {
  Expected<void> ended;
  {
    const std::stop_callback on_stop(stop, [this] {
      impl_->scans.request_stop();
      asio::post(*impl_->io, [this] { impl_->begin_stop(); });
    });
    try {
      impl_->serve_until_stopped();
    } catch (const std::exception& thrown) {
      ended = operation_error(std::string("the server ended: ") + thrown.what());
    }
  }
  for (Connection* connection : impl_->context.connections) abandon(*connection);
  impl_->context.workers.join();
  return ended;
}

}  // namespace gpulse
