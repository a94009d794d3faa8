#include "server/listening.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/host_name.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <expected>
#include <limits>
#include <optional>
#include <utility>

#include "platform/listening_socket.h"
#include "server/listen_options.h"

namespace gpulse {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// How often another port is tried: a free one that the other address family must have free, too, or
// the next one.
constexpr int kPortTriesMax = 20;

Expected<std::vector<asio::ip::address>> addresses_of(const std::string& text) {
  if (text.empty() || text == "localhost") {
    return std::vector<asio::ip::address>{asio::ip::address_v4::loopback(),
                                          asio::ip::address_v6::loopback()};
  }
  error_code error;
  const auto address = asio::ip::make_address(text, error);
  // Windows takes "127.0.0.1:80" for an address, and the port along.
  const bool has_port = !error && address.is_v4() && text.contains(':');
  if (!error && !has_port) return std::vector{address};
  return usage_error("cannot listen on \"" + text +
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
  constexpr int kPrivilegedMax = 1023;
  if (error == asio::error::access_denied && endpoint.port() > kPrivilegedMax) {
    return {
        ErrorKind::operation,
        "cannot listen on " + where +
            ": another program keeps the port to itself, or the system has set it aside; choose "
            "another with --port, or any free one with --port 0",
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

struct Refusal {
  tcp::endpoint endpoint;
  error_code error;
};

std::expected<tcp::acceptor, error_code> listen_on(asio::io_context& io,
                                                   const tcp::endpoint& endpoint) {
  tcp::acceptor acceptor(io);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) prepare_to_listen(static_cast<std::intptr_t>(acceptor.native_handle()));
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
         error == boost::system::errc::address_not_available ||
         error == asio::error::network_unreachable;
}

std::uint16_t port_of(const tcp::acceptor& acceptor) {
  error_code ignored;
  return acceptor.local_endpoint(ignored).port();
}

// Windows refuses a port that another program keeps to itself, or that is set aside for one.
bool is_taken(error_code error) {
  return error == asio::error::address_in_use || error == asio::error::access_denied;
}

// All addresses on one port, any free one for 0.
std::expected<std::vector<tcp::acceptor>, Refusal> listen_on_all(
    asio::io_context& io, const std::vector<asio::ip::address>& addresses, std::uint16_t asked) {
  for (int tries = 0;; ++tries) {
    std::vector<tcp::acceptor> out;
    std::optional<Refusal> refusal;
    std::uint16_t port = asked;
    for (const auto& address : addresses) {
      auto acceptor = listen_on(io, {address, port});
      if (acceptor) {
        out.push_back(std::move(*acceptor));
        port = port_of(out.back());
      } else if (out.empty() || !is_missing_family(acceptor.error())) {
        refusal = Refusal{{address, port}, acceptor.error()};
        break;
      }
    }
    if (!refusal) return out;
    if (asked != 0 || tries >= kPortTriesMax) return std::unexpected(*refusal);
  }
}

// What was asked for, or with `or_next` the first free one of those behind it.
Expected<std::vector<tcp::acceptor>> listen_on_first(
    asio::io_context& io, const std::vector<asio::ip::address>& addresses,
    const ListenOptions& options) {
  auto acceptors = listen_on_all(io, addresses, options.port);
  if (acceptors) return *std::move(acceptors);
  const Refusal first = acceptors.error();
  int port = options.port;
  for (int tries = 0; options.or_next && tries < kPortTriesMax; ++tries) {
    if (!is_taken(acceptors.error().error) || ++port > std::numeric_limits<std::uint16_t>::max()) {
      break;
    }
    acceptors = listen_on_all(io, addresses, static_cast<std::uint16_t>(port));
    if (acceptors) return *std::move(acceptors);
  }
  return std::unexpected(listen_error(first.endpoint, first.error));
}

bool all_loopback(const std::vector<asio::ip::address>& addresses) {
  return std::ranges::all_of(addresses, &asio::ip::address::is_loopback);
}

Expected<std::string> token_of(const ListenOptions& options,
                               const std::vector<asio::ip::address>& addresses) {
  if (!options.token_file.empty()) return read_token_file(options.token_file);
  if (all_loopback(addresses)) return std::string();
  return usage_error(
      "listening on " + options.address +
      " lets other machines in, so it needs a token: put 16 or more random "
      "characters into a file that only you can read, and name it with --token-file");
}

}  // namespace

Expected<void> validate(const ListenOptions& options) {
  const auto addresses = addresses_of(options.address);
  if (!addresses) return std::unexpected(addresses.error());
  if (auto token = token_of(options, *addresses); !token) {
    return std::unexpected(std::move(token).error());
  }
  return {};
}

Expected<Listening> start_listening(const ListenOptions& options) {
  const auto addresses = addresses_of(options.address);
  if (!addresses) return std::unexpected(addresses.error());
  auto token = token_of(options, *addresses);
  if (!token) return std::unexpected(std::move(token).error());
  auto io = std::make_unique<asio::io_context>(1);
  auto acceptors = listen_on_first(*io, *addresses, options);
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
  return Listening{std::move(io), *std::move(acceptors), port, "http://" + here + '/',
                   std::move(access)};
}

}  // namespace gpulse
