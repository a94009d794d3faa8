// From a parsed request to its answer: everything that needs no socket.
#pragma once

#include <functional>
#include <optional>

#include "server/access.h"
#include "server/api.h"
#include "server/health.h"
#include "server/live_hub.h"
#include "server/prometheus.h"
#include "server/site.h"
#include "server/web_assets.h"

namespace gpulse {

// Any thread. Borrows all but the access rules.
class Router final : public Site {
 public:
  Router(Access access, const Api& api, const Exporter& exporter, const WebAssets& assets,
         const History& history, const LiveHub& hub, const Clock& clock,
         std::function<ProgramState()> program);

  [[nodiscard]] std::optional<Response> refuse(const Request& request) const override;
  [[nodiscard]] Work work(const Request& request) const override;
  [[nodiscard]] Response answer(const Request& request,
                                const RequestCounters& requests) const override;

 private:
  [[nodiscard]] std::string_view allowed_methods(std::string_view path) const;

  const Access access_;
  const Api& api_;
  const Exporter& exporter_;
  const WebAssets& assets_;
  const History& history_;
  const LiveHub& hub_;
  const Clock& clock_;
  const std::function<ProgramState()> program_;
};

}  // namespace gpulse
