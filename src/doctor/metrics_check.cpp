#include "doctor/metrics_check.h"

#include <fmt/format.h>

#include "doctor/http_page.h"
#include "telemetry/error.h"

namespace gpulse::doctor {
namespace {

constexpr std::size_t kWordsMax = 100;

std::string first_words(const std::string& body) {
  return body.substr(0, std::min(body.find('\n'), kWordsMax));
}

Check judge_health(std::string name, const HttpPage& page) {
  if (page.status == 200) return ok(std::move(name), first_words(page.body));
  return warn(std::move(name), fmt::format("{} {}", page.status, first_words(page.body)),
              page.status == 503 ? "It runs and is not content: its log says why."
                                 : "Is it a gpulse command's address?");
}

}  // namespace

Checks check_metrics(const std::string& address) {
  const std::string health_name = "healthz at " + address;
  const std::string metrics_name = "metrics at " + address;
  const auto health = get_page(address, "/healthz");
  if (!health) {
    return {fail(health_name, health.error().message,
                 "See that the command runs and listens there; its first lines say where it does."),
            skipped(metrics_name, "it cannot be asked")};
  }
  Checks checks{judge_health(health_name, *health)};
  const auto metrics = get_page(address, "/metrics");
  if (!metrics) {
    checks.push_back(fail(metrics_name, metrics.error().message, "Its log says more."));
  } else if (metrics->status != 200 || metrics->body.find("gpulse_") == std::string::npos) {
    checks.push_back(fail(metrics_name,
                          fmt::format("{} {}", metrics->status, first_words(metrics->body)),
                          "That is no gpulse: correct the address."));
  } else {
    checks.push_back(
        ok(metrics_name, fmt::format("{} bytes for Prometheus", metrics->body.size())));
  }
  return checks;
}

}  // namespace gpulse::doctor
