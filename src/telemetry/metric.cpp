#include "telemetry/metric.h"

#include <algorithm>
#include <cassert>
#include <charconv>

extern "C" const char gpulse_metrics_csv[];
extern "C" const char gpulse_metrics_csv_end[];

namespace gpulse {
namespace {

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(by);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

double number(std::string_view text) {
  double value = 0;
  [[maybe_unused]] const auto result =
      std::from_chars(text.data(), text.data() + text.size(), value);
  assert(result.ec == std::errc{} && "metrics.csv: not a number");
  return value;
}

MetricKind kind_of(std::string_view text) {
  if (text == "bitmask") return MetricKind::bitmask;
  if (text == "counter") return MetricKind::counter;
  assert(text == "gauge" && "metrics.csv: unknown kind");
  return MetricKind::gauge;
}

Metric metric_of(std::string_view line) {
  const auto cells = split(line, ',');
  assert(cells.size() == 9 && "metrics.csv: a line needs nine cells");
  Metric metric;
  metric.name = cells[0];
  metric.unit = cells[1];
  metric.kind = kind_of(cells[2]);
  metric.group = cells[3];
  metric.plausible_min = number(cells[4]);
  metric.plausible_max = number(cells[5]);
  metric.prometheus_name = cells[6];
  metric.prometheus_factor = number(cells[7]);
  for (const auto title : split(cells[8], '|')) metric.titles.emplace_back(title);
  return metric;
}

}  // namespace

std::string_view to_string(MetricKind kind) {
  switch (kind) {
    case MetricKind::gauge: return "gauge";
    case MetricKind::counter: return "counter";
    case MetricKind::bitmask: return "bitmask";
  }
  return "gauge";
}

MetricCatalogue::MetricCatalogue(std::string_view csv) {
  auto lines = split(csv, '\n');
  lines.erase(lines.begin());  // the heading
  for (auto line : lines) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) metrics_.push_back(metric_of(line));
  }
}

const MetricCatalogue& MetricCatalogue::get() {
  static const MetricCatalogue catalogue{
      std::string_view(gpulse_metrics_csv, gpulse_metrics_csv_end)};
  return catalogue;
}

const Metric* MetricCatalogue::find(std::string_view name) const {
  const auto found = std::ranges::find(metrics_, name, &Metric::name);
  return found == metrics_.end() ? nullptr : &*found;
}

namespace {

// The catalogue's metric of which "uvd_clock_2" is a further column, or null.
const Metric* metric_of_further_column(std::string_view name, std::string_view unit) {
  const auto mark = name.find_last_not_of("0123456789");
  if (mark == std::string_view::npos || mark + 1 == name.size() || name[mark] != '_') {
    return nullptr;
  }
  const Metric* first = MetricCatalogue::get().find(name.substr(0, mark));
  return first != nullptr && first->unit == unit ? first : nullptr;
}

}  // namespace

Metric describe_metric(std::string_view name, std::string_view unit) {
  if (const Metric* known = MetricCatalogue::get().find(name)) return *known;
  if (const Metric* first = metric_of_further_column(name, unit)) {
    Metric metric = *first;
    metric.name = name;
    // The unit stays last, as Prometheus has it: gpulse_uvd_clock_2_hertz.
    metric.prometheus_name.insert(metric.prometheus_name.rfind('_'),
                                  name.substr(first->name.size()));
    metric.titles.clear();
    return metric;
  }
  Metric metric;
  metric.name = name;
  metric.unit = unit;
  metric.group = "other";
  metric.plausible_min = -1e308;
  metric.plausible_max = 1e308;
  metric.prometheus_name = "gpulse_" + metric.name;
  return metric;
}

}  // namespace gpulse
