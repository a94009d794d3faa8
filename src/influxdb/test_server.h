// An InfluxDB that answers what a test tells it to. For this module's tests only.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace gpulse::test {

struct Asked {
  std::string method;
  std::string target;
  std::string body;
  std::string authorization;
  std::string content_encoding;
};

struct Told {
  enum class Do { answer, cut, hang };
  unsigned status = 204;
  std::string body;
  std::string retry_after;
  Do act = Do::answer;
};

// Each request goes to `answer`, one at a time.
class TestServer {
 public:
  using Answer = std::function<Told(const Asked&)>;

  explicit TestServer(Answer answer, std::string version = "v2.9.1")
      : answer_(std::move(answer)), version_(std::move(version)) {
    acceptor_.open(tcp::v4());
    acceptor_.bind({boost::asio::ip::address_v4::loopback(), 0});
    acceptor_.listen();
    thread_ = std::thread([this] { accept(); });
  }
  ~TestServer() {
    stopping_ = true;
    boost::system::error_code ignored;
    tcp::socket last(io_);
    last.connect(acceptor_.local_endpoint(), ignored);  // wakes accept()
    thread_.join();
    {
      const std::lock_guard lock(mutex_);
      for (auto& socket : sockets_) socket->shutdown(tcp::socket::shutdown_both, ignored);
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  using tcp = boost::asio::ip::tcp;

  void accept() {
    while (!stopping_) {
      auto socket = std::make_shared<tcp::socket>(io_);
      boost::system::error_code error;
      acceptor_.accept(*socket, error);
      if (error || stopping_) return;
      ++connections_;
      const std::lock_guard lock(mutex_);
      sockets_.push_back(socket);
      threads_.emplace_back([this, socket] { serve(*socket); });
    }
  }

  void serve(tcp::socket& socket) {
    namespace http = boost::beast::http;
    boost::beast::flat_buffer buffer;
    for (;;) {
      boost::system::error_code error;
      http::request_parser<http::string_body> parser;
      parser.body_limit(std::uint64_t{64} << 20);
      http::read(socket, buffer, parser, error);
      if (error) break;
      const auto& request = parser.get();
      const Told told = ask({std::string(request.method_string()), std::string(request.target()),
                             request.body(), std::string(request[http::field::authorization]),
                             std::string(request[http::field::content_encoding])});
      if (told.act == Told::Do::hang) hang();
      if (told.act != Told::Do::answer) break;
      http::response<http::string_body> response(static_cast<http::status>(told.status), 11);
      response.set("X-Influxdb-Version", version_);
      if (!told.retry_after.empty()) response.set(http::field::retry_after, told.retry_after);
      response.body() = told.body;
      response.prepare_payload();
      http::write(socket, response, error);
      if (error) break;
    }
    boost::system::error_code ignored;
    socket.shutdown(tcp::socket::shutdown_both, ignored);
  }

  Told ask(const Asked& asked) {
    if (asked.target == "/ping") return {};
    const std::lock_guard lock(answer_mutex_);
    return answer_(asked);
  }

  void hang() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_.load(); });
  }

  Answer answer_;
  std::string version_;
  boost::asio::io_context io_;
  tcp::acceptor acceptor_{io_};
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  std::mutex answer_mutex_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<tcp::socket>> sockets_;
  std::list<std::thread> threads_;
  std::thread thread_;
};

}  // namespace gpulse::test
