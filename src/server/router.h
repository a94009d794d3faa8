// From a parsed request to its answer: everything that needs no socket.
#pragma once

#include <optional>

#include "server/access.h"
#include "server/api.h"
#include "server/prometheus.h"
#include "server/web_assets.h"

namespace gpulse {

// What has to be done for a request.
enum class Work {
  answer,  // call Router::answer
  live,    // stream events until the client goes
  upload,  // take the body, then Api::start_import
};

// Any thread. Borrows all but the access rules.
class Router {
 public:
  Router(Access access, const Api& api, const Exporter& exporter, const WebAssets& assets,
         const History& history, const Clock& clock, std::vector<std::string> followed);

  // The answer to a request that may not pass, names nothing, or uses a method that is not taken
  // there.
  [[nodiscard]] std::optional<Response> refuse(const Request& request) const;
  [[nodiscard]] static Work work(const Request& request);
  // May take long and may wait for a disk.
  [[nodiscard]] Response answer(const Request& request, const ExporterState& state) const;

  [[nodiscard]] const Api& api() const { return api_; }

 private:
  [[nodiscard]] std::string_view allowed_methods(std::string_view path) const;

  const Access access_;
  const Api& api_;
  const Exporter& exporter_;
  const WebAssets& assets_;
  const History& history_;
  const Clock& clock_;
  const std::vector<std::string> followed_;
};

}  // namespace gpulse
