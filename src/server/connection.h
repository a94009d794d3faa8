// One client's connection. Few files see Asio, and one sees Beast: they are slow to
// compile.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <unordered_set>

#include "server/api.h"
#include "server/live_hub.h"
#include "server/site.h"
#include "telemetry/timestamp.h"

namespace gpulse {

class ClientConnection;

// Who takes part in a server; all that is referred to must outlive it.
struct ServerParties {
  const Site& site;
  const Clock& clock;
  // Of sites with live streams and uploads; null for others.
  const Api* api = nullptr;
  LiveHub* hub = nullptr;
  std::string version{};
  std::filesystem::path spool_folder{};
};

// What all connections share. The io thread's, but for the workers and the counters.
struct ServerContext {
  boost::asio::io_context& io;
  ServerParties parties;
  bool stopping = false;
  RequestCounters counters{};
  // Each leaves when it goes, at the latest with the io context.
  std::unordered_set<ClientConnection*> connections{};
  boost::asio::thread_pool workers{2};
};

// Begins to serve; the connection lives until it is closed.
void serve(ServerContext& context, boost::asio::ip::tcp::socket socket);
// Closes what waits for a request or streams; what is being answered is finished first.
void stop(ClientConnection& connection);
// Before the context goes: lets go of the hub.
void abandon(ClientConnection& connection);

}  // namespace gpulse
