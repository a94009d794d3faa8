// A plain HTTP client over one blocking connection: says exactly what it is told, and reads
// answers.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace gpulse::test {

struct Answer {
  int status = 0;  // 0: the connection ended before there was one
  std::string head;
  std::string body;

  [[nodiscard]] bool has_header(std::string_view line) const {
    return head.find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
  }
};

class Client {
 public:
  explicit Client(std::uint16_t port) : host_("127.0.0.1:" + std::to_string(port)) {
    socket_.connect({boost::asio::ip::address_v4::loopback(), port});
  }

  // False: the other end is gone.
  bool send(std::string_view text) {
    boost::system::error_code error;
    boost::asio::write(socket_, boost::asio::buffer(text), error);
    return !error;
  }

  // A request with a right Host; `fields` are whole lines.
  Answer ask(std::string_view method, std::string_view target, std::string_view fields = "",
             std::string_view body = "") {
    send(request(method, target, fields, body));
    return answer(method == "HEAD");
  }
  [[nodiscard]] std::string request(std::string_view method, std::string_view target,
                                    std::string_view fields = "",
                                    std::string_view body = "") const {
    std::string out = std::string(method) + ' ' + std::string(target) +
                      " HTTP/1.1\r\nHost: " + host_ + "\r\n" + std::string(fields);
    if (!body.empty()) out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return out + "\r\n" + std::string(body);
  }

  // The next answer; for HEAD without its body.
  Answer answer(bool head_only = false) {
    Answer out;
    out.head = until("\r\n\r\n");
    if (out.head.size() < 12) return out;
    out.status = std::stoi(out.head.substr(9, 3));
    constexpr std::string_view kLength = "\r\nContent-Length: ";
    const std::size_t at = out.head.find(kLength);
    if (at != std::string::npos && !head_only) {
      out.body = exactly(std::stoul(out.head.substr(at + kLength.size())));
    }
    return out;
  }

  // Reads to the end of `mark`; what came before the connection ended, when it does not come.
  std::string until(std::string_view mark) {
    boost::system::error_code error;
    const std::size_t size = boost::asio::read_until(
        socket_, boost::asio::dynamic_buffer(received_), std::string(mark), error);
    return take(error ? received_.size() : size);
  }
  [[nodiscard]] bool ended() {
    char byte = 0;
    boost::system::error_code error;
    return received_.empty() && socket_.read_some(boost::asio::buffer(&byte, 1), error) == 0;
  }
  void close() { socket_.close(); }
  boost::asio::ip::tcp::socket& socket() { return socket_; }

 private:
  std::string exactly(std::size_t size) {
    if (received_.size() < size) {
      boost::system::error_code error;
      boost::asio::read(socket_, boost::asio::dynamic_buffer(received_),
                        boost::asio::transfer_exactly(size - received_.size()), error);
    }
    return take(std::min(size, received_.size()));
  }
  std::string take(std::size_t size) {
    std::string out = received_.substr(0, size);
    received_.erase(0, size);
    return out;
  }

  boost::asio::io_context io_;
  boost::asio::ip::tcp::socket socket_{io_};
  std::string host_;
  std::string received_;
};

}  // namespace gpulse::test
