#include "cli/status_page.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "platform/process_stats.h"
#include "telemetry/timestamp.h"

namespace gpulse::cli {

Expected<std::unique_ptr<StatusPage>> StatusPage::start(const ListenArguments& arguments,
                                                        bool port_asked, StatusPages pages) {
  std::unique_ptr<StatusPage> page(new StatusPage);
  auto server = StatusServer::build(listen_options(arguments), std::move(pages), system_clock());
  if (!server) {
    if (port_asked || !server.error().retryable) return std::unexpected(server.error());
    page->display_ = fmt::format("none, port {} is taken: --port chooses another", arguments.port);
    return page;
  }
  page->server_ = std::move(*server);
  page->display_ = page->server_->url() + "metrics";
  page->thread_ = std::jthread([serving = page->server_.get()](const std::stop_token& stop) {
    if (const auto ended = serving->run(stop); !ended) {
      spdlog::error("/metrics is no longer served: {}", ended.error().message);
    }
  });
  return page;
}

ProcessUsage process_usage() {
  const auto stats = process_stats();
  if (!stats) return {};
  return {std::chrono::duration<double>(stats->cpu).count(),
          static_cast<double>(stats->resident_bytes)};
}

}  // namespace gpulse::cli
