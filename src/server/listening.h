// The sockets that a server waits at, and who may come in by them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "server/access.h"
#include "telemetry/error.h"

namespace gpulse {

struct ListenOptions;

struct Listening {
  std::unique_ptr<boost::asio::io_context> io;
  std::vector<boost::asio::ip::tcp::acceptor> acceptors;  // all of one port; none accepts yet
  std::uint16_t port = 0;
  std::string url;  // "http://127.0.0.1:8337/"
  AccessOptions access;
};

// Binds. Usage errors of the options, operation errors of the port.
[[nodiscard]] Expected<Listening> start_listening(const ListenOptions& options);

}  // namespace gpulse
