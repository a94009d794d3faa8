// One client's connection. Only http_server.cpp and connection.cpp see Asio and Beast: they are
// slow to compile.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <unordered_set>

#include "server/http_server.h"
#include "server/router.h"

namespace gpulse {

class Connection;

// What all connections share. The io thread's, but for the workers and the counters.
struct ServerContext {
  boost::asio::io_context& io;
  const Router& router;
  LiveHub& hub;
  const Clock& clock;
  std::string version;
  std::filesystem::path spool_folder;
  bool stopping = false;
  RequestCounters counters{};
  // Each leaves when it goes, at the latest with the io context.
  std::unordered_set<Connection*> connections{};
  boost::asio::thread_pool workers{2};
};

// Begins to serve; the connection lives until it is closed.
void serve(ServerContext& context, boost::asio::ip::tcp::socket socket);
// Closes what waits for a request or streams; what is being answered is finished first.
void stop(Connection& connection);
// Before the context goes: lets go of the hub.
void abandon(Connection& connection);

}  // namespace gpulse
