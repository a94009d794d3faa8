// /metrics and /healthz of a command that runs for long, on a thread of its own.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "cli/listen_options.h"
#include "server/exposition.h"
#include "server/status_server.h"

namespace CLI {
class App;
}

namespace gpulse::cli {

inline constexpr std::uint16_t kProducePortDefault = 8338;
inline constexpr std::uint16_t kSinkPortDefault = 8339;

class StatusPage {
 public:
  // Serves from now on. What is sent matters more than what is told of it: a port that is taken,
  // unless somebody asked for that one, is told of and gone without. Errors of options, and of a
  // port that was asked for.
  [[nodiscard]] static Expected<std::unique_ptr<StatusPage>> start(const ListenArguments& arguments,
                                                                   bool port_asked,
                                                                   StatusPages pages);

  // For the first lines on the screen: "http://127.0.0.1:8338/metrics", or why there is none.
  [[nodiscard]] const std::string& display() const { return display_; }

 private:
  StatusPage() = default;

  std::unique_ptr<StatusServer> server_;
  std::string display_;
  std::jthread thread_;  // ends before the server goes
};

// What this process has used so far; for Exposition::add_process. Any thread.
[[nodiscard]] ProcessUsage process_usage();

}  // namespace gpulse::cli
