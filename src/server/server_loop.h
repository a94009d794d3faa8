// Accepts connections and serves a site to each: what every server here has in common.
#pragma once

#include <memory>
#include <stop_token>
#include <vector>

#include "server/connection.h"
#include "server/listening.h"

namespace gpulse {

// Borrows what its context refers to.
class ServerLoop {
 public:
  ServerLoop(std::unique_ptr<boost::asio::io_context> io,
             std::vector<boost::asio::ip::tcp::acceptor> acceptors, ServerParties parties);
  ServerLoop(const ServerLoop&) = delete;
  ServerLoop& operator=(const ServerLoop&) = delete;

  // Serves on the calling thread, with two more for answers, until asked to stop. Then what is
  // being answered finishes, for kStopGrace at most. Once.
  [[nodiscard]] Expected<void> run(const std::stop_token& stop);

 private:
  boost::asio::awaitable<void> accept(boost::asio::ip::tcp::acceptor& acceptor);
  void admit(boost::asio::ip::tcp::socket socket);
  void begin_stop();
  void serve_until_stopped();

  ServerContext context_;
  std::unique_ptr<boost::asio::io_context>
      io_;  // goes before the context, with all that waits in it
  std::vector<boost::asio::ip::tcp::acceptor> acceptors_;
};

}  // namespace gpulse
