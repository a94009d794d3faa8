#include "verify/influx_points.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "influxdb/line_protocol.h"

namespace gpulse {
namespace {

// A tag's value as InfluxDB keeps it: what line protocol cannot hold is shown by a look-alike.
std::string kept_tag(std::string_view value) {
  std::string line;
  append_tag_value(line, value);
  std::string kept;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && i + 1 < line.size()) ++i;
    kept += line[i];
  }
  return kept;
}

std::string tag_is(std::string_view tag, std::string_view value) {
  return fmt::format("r.{} == {}", tag, flux_string(kept_tag(value)));
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Columns of the answer that are no fields.
bool is_field(std::string_view column) {
  return !column.empty() && column != "result" && column != "table" && !column.starts_with('_') &&
         column != "offset" && column != "host" && column != "gpu" && column != "source";
}

}  // namespace

std::string InfluxPoints::from_bucket(Timestamp from, Timestamp until) const {
  return fmt::format("from(bucket: {}) |> range(start: {}, stop: {})",
                     flux_string(client_.endpoint().address.bucket), to_rfc3339(from),
                     to_rfc3339(until));
}

std::string InfluxPoints::of_source(std::string_view source) const {
  return fmt::format(R"(r._measurement == "{}" and {} and {} and {})", kMeasurement,
                     tag_is("host", device_.host), tag_is("gpu", device_.gpu),
                     tag_is("source", source));
}

Expected<std::vector<std::string>> InfluxPoints::sources() {
  const auto tables = run_flux(
      client_, fmt::format("import \"influxdata/influxdb/schema\"\n"
                           "schema.tagValues(bucket: {}, tag: \"source\", start: {}, stop: {}, "
                           "predicate: (r) => r._measurement == \"{}\" and {} and {})",
                           flux_string(client_.endpoint().address.bucket), to_rfc3339(kInfluxFirst),
                           to_rfc3339(kInfluxEnd), kMeasurement, tag_is("host", device_.host),
                           tag_is("gpu", device_.gpu)));
  if (!tables) return std::unexpected(tables.error());
  std::vector<std::string> sources;
  for (const FluxTable& table : *tables) {
    for (std::string& source : table.column("_value")) sources.push_back(std::move(source));
  }
  return sources;
}

Expected<std::vector<Device>> InfluxPoints::devices_of(std::string_view source) {
  const auto tables = run_flux(
      client_,
      fmt::format(R"({} |> filter(fn: (r) => r._measurement == "{}" and {} and r._field == "offset")
  |> first() |> keep(columns: ["host", "gpu"]))",
                  from_bucket(kInfluxFirst, kInfluxEnd), kMeasurement, tag_is("source", source)));
  if (!tables) return std::unexpected(tables.error());
  std::vector<Device> devices;
  for (const FluxTable& table : *tables) {
    const auto hosts = table.column("host");
    const auto gpus = table.column("gpu");
    for (std::size_t i = 0; i < hosts.size(); ++i) devices.push_back({hosts[i], gpus[i]});
  }
  return devices;
}

Expected<std::optional<PlaceRow>> InfluxPoints::first(std::string_view source) {
  const auto tables = run_flux(
      client_, fmt::format(R"({} |> filter(fn: (r) => {} and r._field == "offset") |> first()
  |> keep(columns: ["_time", "_value"]) |> rename(columns: {{_value: "offset"}}))",
                           from_bucket(kInfluxFirst, kInfluxEnd), of_source(source)));
  if (!tables) return std::unexpected(tables.error());
  std::optional<PlaceRow> first;
  for (const FluxTable& table : *tables) {
    auto visited = visit_table(table, [&](const PlaceRow& row) -> Expected<void> {
      first = PlaceRow{row.offset, row.time, std::nullopt, {}};
      return {};
    });
    if (!visited) return std::unexpected(visited.error());
  }
  return first;
}

Expected<void> InfluxPoints::visit(std::string_view source, Timestamp from, Timestamp until,
                                   bool with_readings, const Visitor& visitor) {
  const auto tables = run_flux(client_, fmt::format(
                                            R"({} |> filter(fn: (r) => {}{})
  |> drop(columns: ["_start", "_stop", "_measurement", "host", "gpu", "source"])
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> sort(columns: ["_time"]))",
                                            from_bucket(from, until), of_source(source),
                                            with_readings ? "" : R"( and r._field == "offset")"));
  if (!tables) return std::unexpected(tables.error());
  for (const FluxTable& table : *tables) {
    if (auto visited = visit_table(table, visitor); !visited) return visited;
  }
  return {};
}

Expected<void> InfluxPoints::visit_table(const FluxTable& table, const Visitor& visitor) {
  const auto column_of = [&](std::string_view name) {
    return static_cast<std::size_t>(std::ranges::find(table.columns, name) - table.columns.begin());
  };
  const std::size_t time_at = column_of("_time");
  const std::size_t offset_at = column_of("offset");
  std::vector<std::size_t> fields;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (is_field(table.columns[i])) fields.push_back(i);
  }
  for (const std::vector<std::string>& cells : table.rows) {
    const auto time = time_at < cells.size() ? parse_timestamp(cells[time_at]) : std::nullopt;
    if (!time) return operation_error("InfluxDB's answer has a row without a time");
    // A point that somebody robbed of its offset has no identity: none of the log's.
    const auto offset = offset_at < cells.size() ? number(cells[offset_at]) : std::nullopt;
    readings_.clear();
    readings_.reserve(fields.size());
    for (const std::size_t field : fields) {
      readings_.push_back({table.columns[field], number(cells[field])});
    }
    const PlaceRow row{offset ? static_cast<std::int64_t>(*offset) : -1, *time, std::nullopt,
                       readings_};
    if (auto visited = visitor(row); !visited) return visited;
  }
  return {};
}

}  // namespace gpulse
