// The HTTP API without HTTP: a request in, an answer out. docs/openapi.yaml describes what it
// answers.
#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/statistics.h"
#include "server/import_jobs.h"
#include "server/outlet_state.h"
#include "server/request.h"
#include "server/session_facts.h"
#include "store/history.h"
#include "stream/alert.h"
#include "telemetry/timestamp.h"

namespace gpulse {

inline constexpr std::string_view kApiPrefix = "/api/v1/";

// Any thread, several at once. Borrows all it is made from.
class Api {
 public:
  // `outlets` is called on any thread.
  Api(const History& history, std::vector<AlertRule> rules, ImportJobs& jobs,
      std::function<std::vector<OutletState>()> outlets);

  // The methods that a path takes, as the Allow header names them; empty when there is no such
  // path.
  [[nodiscard]] static std::string_view allowed_methods(std::string_view path);

  // Answers GET (also for HEAD) and DELETE below kApiPrefix, except `live`. A path or method that
  // allowed_methods() does not name is answered with 404 or 405.
  [[nodiscard]] Response handle(const Request& request) const;

  // POST logs, before its body: what shall be imported. The error is the answer.
  [[nodiscard]] static std::expected<ImportRequest, Response> import_request(
      const Request& request);
  // ... and after it: hands the file over. `taken` says whether it still is the caller's.
  [[nodiscard]] Response start_import(const std::filesystem::path& file,
                                      const ImportRequest& import, bool& taken) const;

  // GET live: the device that a request names, or none for all. The error is the answer.
  [[nodiscard]] static std::expected<std::optional<Device>, Response> named_device(
      const Request& request);

 private:
  using Answer = std::expected<std::string, Response>;  // JSON, or the refusal
  using Handler = Answer (Api::*)(const Request&) const;
  struct Endpoint;
  static const Endpoint* find_endpoint(std::string_view path);

  [[nodiscard]] Answer devices(const Request& request) const;
  [[nodiscard]] Answer sources(const Request& request) const;
  [[nodiscard]] Answer sessions(const Request& request) const;
  [[nodiscard]] Answer query(const Request& request) const;
  [[nodiscard]] Answer stats(const Request& request) const;
  [[nodiscard]] Answer answers(const Request& request) const;
  [[nodiscard]] Answer windows(const Request& request) const;
  [[nodiscard]] Answer alerts(const Request& request) const;
  [[nodiscard]] Answer rules(const Request& request) const;
  [[nodiscard]] Answer metrics(const Request& request) const;
  [[nodiscard]] Answer outlets(const Request& request) const;
  [[nodiscard]] Answer logs(const Request& request) const;
  [[nodiscard]] Response log(const Request& request) const;

  // The device that the request names, or the only one.
  [[nodiscard]] std::expected<DeviceRecord, Response> device_of(const Request& request) const;
  // That device, and the range from `from` to `to`: from its first to its last row where the
  // request does not say.
  struct Asked {
    DeviceRecord device;
    TimeRange range;
  };
  [[nodiscard]] std::expected<Asked, Response> asked_of(const Request& request) const;

  const History& history_;
  const std::vector<AlertRule> rules_;
  ImportJobs& jobs_;
  const std::function<std::vector<OutletState>()> outlets_;
  mutable SessionFactsCache session_facts_;
};

// A whole number in [min, max], or `otherwise` when the request has no such parameter.
[[nodiscard]] std::expected<std::size_t, Response> number_of(const Request& request,
                                                             std::string_view name,
                                                             std::size_t otherwise, std::size_t min,
                                                             std::size_t max);
// The mean step of the device's newest session; zero when there is none.
[[nodiscard]] Expected<std::chrono::microseconds> usual_step_of(const History& history,
                                                                const Device& device);

}  // namespace gpulse
