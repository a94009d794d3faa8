#include "influxdb/inspection.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "influxdb/answer.h"
#include "influxdb/line_protocol.h"
#include "influxdb/query.h"

namespace gpulse {
namespace {

namespace dom = simdjson::dom;

constexpr unsigned kNotFound = 404;

std::string text_member(dom::element object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

// Hands over the entry of that name of a list; none when the token may not see it, or it is not
// there.
template <class T>
Expected<std::optional<T>> find_named(InfluxClient& client, std::string_view list,
                                      const std::string& name, T (*read)(dom::element)) {
  const std::string target =
      fmt::format("/api/v2/{}?limit=100&org={}&name={}", list,
                  percent_encoded(client.endpoint().address.organisation), percent_encoded(name));
  const auto answer = client.ask("GET", target);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status >= 500) {
    return std::unexpected(
        unexpected_answer(client.endpoint(), fmt::format("cannot list {}", list), *answer));
  }
  if (!answer->ok()) return std::optional<T>();
  dom::parser parser;
  const simdjson::padded_string json(answer->body);
  dom::element root;
  dom::array entries;
  if (parser.parse(json).get(root) != simdjson::SUCCESS ||
      root[list].get(entries) != simdjson::SUCCESS) {
    return std::optional<T>();
  }
  for (const dom::element entry : entries) {
    if (text_member(entry, "name") == name) return read(entry);
  }
  return std::optional<T>();
}

InfluxBucket read_bucket(dom::element entry) {
  InfluxBucket bucket;
  dom::array rules;
  if (entry["retentionRules"].get(rules) != simdjson::SUCCESS) return bucket;
  for (const dom::element rule : rules) {
    std::int64_t seconds = 0;
    if (rule["everySeconds"].get(seconds) == simdjson::SUCCESS) {
      bucket.retention = std::chrono::seconds(seconds);
    }
  }
  return bucket;
}

InfluxTask read_task(dom::element entry) {
  return {.active = text_member(entry, "status") == "active",
          .last_run = text_member(entry, "lastRunStatus"),
          .last_error = text_member(entry, "lastRunError")};
}

Expected<std::optional<Timestamp>> newest_row_since(InfluxClient& client, std::string_view start) {
  const auto tables = run_flux(
      client,
      fmt::format("from(bucket: {}) |> range(start: {}, stop: 2200-01-01T00:00:00Z) "
                  "|> filter(fn: (r) => r._measurement == {} and r._field == \"offset\") |> last() "
                  "|> keep(columns: [\"_time\"])",
                  flux_string(client.endpoint().address.bucket), start, flux_string(kMeasurement)));
  if (!tables) return std::unexpected(tables.error());
  std::optional<Timestamp> newest;
  for (const FluxTable& table : *tables) {
    for (const std::string& time : table.column("_time")) {
      newest = std::max(newest, parse_timestamp(time));
    }
  }
  return newest;
}

}  // namespace

Expected<InfluxHealth> influx_health(InfluxClient& client) {
  auto answer = client.ask("GET", "/health");
  // InfluxDB 1 has it from 1.8 on, and until then only an answer without content.
  if (answer && answer->status == kNotFound && read_version(answer->version) == InfluxVersion::v1) {
    answer = client.ask("GET", "/ping");
  }
  if (!answer) return std::unexpected(answer.error());
  InfluxHealth health{.healthy = answer->ok(),
                      .version = answer->version,
                      .message = answer_message(answer->body),
                      .time = answer->time};
  dom::parser parser;
  const simdjson::padded_string json(answer->body);
  dom::element root;
  if (parser.parse(json).get(root) == simdjson::SUCCESS) {
    if (health.version.empty()) health.version = text_member(root, "version");
    const std::string status = text_member(root, "status");
    health.healthy = health.healthy && (status.empty() || status == "pass");
  }
  return health;
}

Expected<InfluxAnswer> try_write(InfluxClient& client) {
  const InfluxAddress& address = client.endpoint().address;
  return client.ask("POST", write_target(address, assumed_version(address)), "text/plain", "");
}

Expected<InfluxAnswer> try_read(InfluxClient& client) {
  const InfluxAddress& address = client.endpoint().address;
  return client.ask("POST", "/api/v2/query?org=" + percent_encoded(address.organisation),
                    "application/vnd.flux",
                    fmt::format("from(bucket: {}) |> range(start: -1s) |> limit(n: 1)",
                                flux_string(address.bucket)));
}

Expected<std::optional<InfluxBucket>> find_bucket(InfluxClient& client, const std::string& name) {
  return find_named<InfluxBucket>(client, "buckets", name, read_bucket);
}

Expected<std::optional<InfluxTask>> find_task(InfluxClient& client, const std::string& name) {
  return find_named<InfluxTask>(client, "tasks", name, read_task);
}

Expected<std::optional<Timestamp>> newest_row(InfluxClient& client) {
  auto newest = newest_row_since(client, "-30d");
  // Of old logs only; a search through all time costs the server more.
  return newest && !*newest ? newest_row_since(client, "1970-01-01T00:00:00Z") : newest;
}

}  // namespace gpulse
