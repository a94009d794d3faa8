#include "server/server_loop.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "server/limits.h"

namespace gpulse {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Out of file handles: wait for connections to end.
constexpr std::chrono::milliseconds kAcceptPause{100};

constexpr std::string_view kBusy =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

}  // namespace

ServerLoop::ServerLoop(std::unique_ptr<asio::io_context> io, std::vector<tcp::acceptor> acceptors,
                       ServerParties parties)
    : context_{*io, std::move(parties)}, io_(std::move(io)), acceptors_(std::move(acceptors)) {}

asio::awaitable<void> ServerLoop::accept(tcp::acceptor& acceptor) {
  while (!context_.stopping) {
    auto [error, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (context_.stopping) co_return;
    if (error) {
      asio::steady_timer pause(*io_, kAcceptPause);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    } else {
      admit(std::move(socket));
    }
  }
}

void ServerLoop::admit(tcp::socket socket) {
  error_code ignored;
  if (context_.connections.size() >= kConnectionsMax) {
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(kBusy), ignored);
    return;
  }
  // An event is small and should leave at once.
  socket.set_option(tcp::no_delay(true), ignored);
  serve(context_, std::move(socket));
}

void ServerLoop::begin_stop() {
  context_.stopping = true;
  error_code ignored;
  for (tcp::acceptor& acceptor : acceptors_) acceptor.close(ignored);
  const std::vector<ClientConnection*> open(context_.connections.begin(),
                                            context_.connections.end());
  for (ClientConnection* connection : open) stop(*connection);
  io_->stop();
}

void ServerLoop::serve_until_stopped() {
  for (tcp::acceptor& acceptor : acceptors_) {
    asio::co_spawn(*io_, accept(acceptor), asio::detached);
  }
  io_->run();
  io_->restart();
  io_->run_for(kStopGrace);
}

Expected<void> ServerLoop::run(const std::stop_token& stop) {
  Expected<void> ended;
  {
    const std::stop_callback on_stop(stop, [this] { asio::post(*io_, [this] { begin_stop(); }); });
    try {
      serve_until_stopped();
    } catch (const std::exception& thrown) {
      ended = operation_error(std::string("the server ended: ") + thrown.what());
    }
  }
  for (ClientConnection* connection : context_.connections) abandon(*connection);
  context_.workers.join();
  return ended;
}

}  // namespace gpulse
