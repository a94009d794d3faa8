// What a server serves, without sockets.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "server/request.h"

namespace gpulse {

// What has to be done for a request.
enum class Work {
  answer,  // call Site::answer
  live,    // stream events until the client goes
  upload,  // take the body, then Api::start_import
};

// Responses by status, for gpulse_http_requests_total. Any thread.
class RequestCounters {
 public:
  static constexpr int kStatusEnd = 600;

  void count(int status) {
    counts_[static_cast<std::size_t>(status >= 0 && status < kStatusEnd ? status : 0)].fetch_add(
        1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t of(int status) const {
    return counts_[static_cast<std::size_t>(status)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, kStatusEnd> counts_{};
};

// Any thread, several at once.
class Site {
 public:
  virtual ~Site() = default;

  // The answer to a request that may not pass, names nothing, or uses a method that is not taken
  // there.
  [[nodiscard]] virtual std::optional<Response> refuse(const Request& request) const = 0;
  // Only sites of servers that have an Api and a LiveHub ask for more than answers.
  [[nodiscard]] virtual Work work(const Request& request) const = 0;
  // May take long and may wait for a disk.
  [[nodiscard]] virtual Response answer(const Request& request,
                                        const RequestCounters& requests) const = 0;
};

// Whether a list as the Allow header has it, "GET, HEAD", names the method.
[[nodiscard]] bool allows(std::string_view methods, std::string_view method);
// 405 with the Allow header.
[[nodiscard]] Response method_not_allowed(const Request& request, std::string_view methods);
// 404.
[[nodiscard]] Response nothing_there(const Request& request);
// What Prometheus reads.
[[nodiscard]] Response metrics_response(std::string text);

}  // namespace gpulse
