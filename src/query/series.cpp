#include "query/series.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "query/row_walk.h"

namespace gpulse {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Durations = std::map<std::int64_t, std::vector<std::chrono::microseconds>>;

// The beginnings of `points` columns of [from, to], and the instant just behind the last one.
// Columns of a millisecond and more begin on whole milliseconds, since that is how they are told.
std::vector<Timestamp> column_bounds(Timestamp from, Timestamp to, std::size_t points) {
  const auto count = static_cast<std::int64_t>(points);
  const std::int64_t span = (to - from).count();
  const std::int64_t width = span / count;
  const std::int64_t rest = span % count;
  std::vector<Timestamp> bounds(points + 1);
  bounds[0] = from;
  for (std::int64_t column = 1; column < count; ++column) {
    // width * column + rest * column / count, in this form so that it cannot overflow
    Timestamp begin = from + std::chrono::microseconds{width * column + rest * column / count};
    if (width >= 1000) begin = std::chrono::floor<std::chrono::milliseconds>(begin);
    bounds[static_cast<std::size_t>(column)] = std::max(begin, from);
  }
  bounds[points] = to + std::chrono::microseconds{1};
  return bounds;
}

struct Column {
  double min = kInfinity;
  double max = -kInfinity;
  double sum = 0;
  std::int64_t count = 0;
  std::int64_t rows = 0;
  Timestamp first;
  Timestamp last;
  std::size_t first_session = 0;
  std::size_t last_session = 0;
};

struct RawRow {
  Timestamp time;
  double value;
  std::int64_t duration;
  std::size_t session;
};

// Builds one metric's series, both ways at once: which one is wanted is known only at the end, and
// counting in a first pass would let a row that arrives between the passes break the bound.
class SeriesBuilder {
 public:
  SeriesBuilder(MetricRecord metric, std::size_t points) : points_(points), columns_(points) {
    series_.kind = describe_metric(metric.name, metric.unit).kind;
    series_.metric = std::move(metric);
  }

  // The rows [begin, end) of the block, all of which lie in `column`.
  void add(const TimedBlock& block, std::span<const double> values, std::size_t begin,
           std::size_t end, std::size_t column) {
    Column& entry = columns_[column];
    note_rows(entry, block, begin, end);
    if (series_.kind == MetricKind::bitmask) {
      add_durations(entry, block, values, begin, end, column);
    } else {
      add_readings(entry, values.subspan(begin, end - begin));
    }
    for (std::size_t row = begin; row < end && raw_.size() <= points_; ++row) {
      raw_.push_back({block.times[row], values[row], block.durations[row], block.session_index});
    }
  }

  // Whether the rows and their gaps fit. Puts the rows in order of time, which they are not yet
  // where sessions overlap.
  [[nodiscard]] bool fits_raw(std::span<const std::chrono::microseconds> gap_limits) {
    if (raw_.size() > points_) return false;
    std::ranges::stable_sort(raw_, {}, &RawRow::time);
    std::size_t entries = raw_.size();
    for (std::size_t row = 1; row < raw_.size(); ++row) {
      if (is_gap(raw_[row - 1], raw_[row], gap_limits)) ++entries;
    }
    return entries <= points_;
  }

  [[nodiscard]] MetricSeries raw(std::span<const std::chrono::microseconds> gap_limits) && {
    durations_.clear();
    for (std::size_t row = 0; row < raw_.size(); ++row) {
      const RawRow& now = raw_[row];
      if (row > 0 && is_gap(raw_[row - 1], now, gap_limits)) {
        const Timestamp before = raw_[row - 1].time;
        push(before + (now.time - before) / 2, {});
      }
      Column entry;
      if (!std::isnan(now.value)) {
        entry.min = entry.max = now.value;
        entry.count = 1;
        note_duration(now);
      }
      push(now.time, entry, now.value);
    }
    return finish();
  }

  [[nodiscard]] MetricSeries columns(std::span<const Timestamp> bounds,
                                     std::span<const std::chrono::microseconds> gap_limits) && {
    Durations dense = std::exchange(durations_, {});
    const Column* before = nullptr;
    std::size_t before_index = 0;
    for (std::size_t index = 0; index < columns_.size(); ++index) {
      const Column& now = columns_[index];
      if (now.rows == 0) continue;
      const bool room = before != nullptr && index > before_index + 1;
      if (room && is_gap(*before, now, gap_limits)) push(bounds[before_index + 1], {});
      for (const auto& [value, durations] : dense) {
        if (durations[index].count() > 0) note_duration(value, durations[index]);
      }
      push(bounds[index], now, now.sum / static_cast<double>(now.count));
      before = &now;
      before_index = index;
    }
    return finish();
  }

 private:
  static bool is_gap(const RawRow& a, const RawRow& b,
                     std::span<const std::chrono::microseconds> gap_limits) {
    return a.session != b.session || b.time - a.time > gap_limits[a.session];
  }
  static bool is_gap(const Column& a, const Column& b,
                     std::span<const std::chrono::microseconds> gap_limits) {
    return a.last_session != b.first_session || b.first - a.last > gap_limits[a.last_session];
  }

  // Sessions may overlap, so neither the rows here are the last of the column nor is the order
  // given.
  static void note_rows(Column& entry, const TimedBlock& block, std::size_t begin,
                        std::size_t end) {
    if (entry.rows == 0 || block.times[begin] < entry.first) {
      entry.first = block.times[begin];
      entry.first_session = block.session_index;
    }
    if (entry.rows == 0 || block.times[end - 1] >= entry.last) {
      entry.last = block.times[end - 1];
      entry.last_session = block.session_index;
    }
    entry.rows += static_cast<std::int64_t>(end - begin);
  }

  // An absent reading is NaN: no comparison with it is true.
  static void add_readings(Column& entry, std::span<const double> values) {
    double min = entry.min;
    double max = entry.max;
    double sum = 0;
    std::int64_t count = 0;
    for (const double value : values) {
      const bool present = value == value;
      min = value < min ? value : min;
      max = value > max ? value : max;
      sum += present ? value : 0.0;
      count += present ? 1 : 0;
    }
    entry.min = min;
    entry.max = max;
    entry.sum += sum;
    entry.count += count;
  }

  void add_durations(Column& entry, const TimedBlock& block, std::span<const double> values,
                     std::size_t begin, std::size_t end, std::size_t column) {
    for (std::size_t row = begin; row < end; ++row) {
      if (std::isnan(values[row])) continue;
      ++entry.count;
      auto& durations = durations_[std::llround(values[row])];
      if (durations.empty()) durations.resize(points_);
      durations[column] += std::chrono::microseconds{block.durations[row]};
    }
  }

  // Adds to the entry that push() makes next.
  void note_duration(std::int64_t value, std::chrono::microseconds duration) {
    auto& durations = durations_[value];
    durations.resize(series_.times.size() + 1);
    durations.back() += duration;
  }
  void note_duration(const RawRow& row) {
    if (series_.kind != MetricKind::bitmask) return;
    note_duration(std::llround(row.value), std::chrono::microseconds{row.duration});
  }

  void push(Timestamp time, const Column& entry, double mean = kNan) {
    series_.times.push_back(time);
    series_.counts.push_back(entry.count);
    if (series_.kind == MetricKind::bitmask) return;
    const bool some = entry.count > 0;
    series_.min.push_back(some ? entry.min : kNan);
    series_.max.push_back(some ? entry.max : kNan);
    series_.mean.push_back(some ? mean : kNan);
  }

  MetricSeries finish() {
    for (auto& [value, durations] : durations_) {
      durations.resize(series_.times.size());
      series_.values.push_back({value, std::move(durations)});
    }
    return std::move(series_);
  }

  std::size_t points_;
  std::vector<Column> columns_;
  std::vector<RawRow> raw_;
  Durations durations_;
  MetricSeries series_;
};

// Cuts blocks at the column bounds and hands the pieces to every metric.
class SeriesCollector {
 public:
  SeriesCollector(std::vector<Timestamp> bounds, std::vector<SeriesBuilder> builders)
      : bounds_(std::move(bounds)), builders_(std::move(builders)) {}

  void take(const TimedBlock& block) {
    if (block.session_index == gap_limits_.size())
      gap_limits_.push_back(block.session->gap_limit());
    std::size_t begin = 0;
    while (begin < block.times.size()) {
      const auto next = std::ranges::upper_bound(bounds_, block.times[begin]);
      const auto rest = block.times.subspan(begin);
      const auto rows =
          static_cast<std::size_t>(std::ranges::lower_bound(rest, *next) - rest.begin());
      const auto column = static_cast<std::size_t>(next - bounds_.begin()) - 1;
      for (std::size_t metric = 0; metric < builders_.size(); ++metric) {
        const auto values = block.values[metric];
        if (!values.empty()) builders_[metric].add(block, values, begin, begin + rows, column);
      }
      begin += rows;
    }
  }

  void finish(SeriesResult& result) && {
    result.raw = true;
    for (auto& builder : builders_) result.raw = builder.fits_raw(gap_limits_) && result.raw;
    for (auto& builder : builders_) {
      result.series.push_back(result.raw ? std::move(builder).raw(gap_limits_)
                                         : std::move(builder).columns(bounds_, gap_limits_));
    }
  }

 private:
  std::vector<Timestamp> bounds_;
  std::vector<SeriesBuilder> builders_;
  std::vector<std::chrono::microseconds> gap_limits_;  // by session
};

Expected<MetricRecord> find_metric(const DeviceRecord& device, const std::string& name) {
  const auto known = std::ranges::find(device.metrics, name, &MetricRecord::name);
  if (known != device.metrics.end()) return *known;
  const Metric* metric = MetricCatalogue::get().find(name);
  if (metric == nullptr) return usage_error("unknown metric '" + name + "'");
  return MetricRecord{metric->name, metric->unit, 0};
}

}  // namespace

Expected<SeriesResult> query_series(const History& history, const DeviceRecord& device,
                                    const SeriesRequest& request) {
  if (request.from > request.to) return usage_error("'from' is after 'to'");
  if (request.points < kSeriesPointsMin || request.points > kSeriesPointsMax) {
    return usage_error("points is " + std::to_string(request.points) + ", but must be from " +
                       std::to_string(kSeriesPointsMin) + " to " +
                       std::to_string(kSeriesPointsMax));
  }
  std::vector<SeriesBuilder> builders;
  builders.reserve(request.metrics.size());
  for (const auto& name : request.metrics) {
    auto metric = find_metric(device, name);
    if (!metric) return std::unexpected(std::move(metric).error());
    builders.emplace_back(*std::move(metric), request.points);
  }
  SeriesCollector collector(column_bounds(request.from, request.to, request.points),
                            std::move(builders));
  auto walked = walk_rows(history, {device.device, request.from, request.to, request.metrics},
                          [&](const TimedBlock& block) { collector.take(block); });
  if (!walked) return std::unexpected(std::move(walked).error().wrapped("cannot read the series"));
  SeriesResult result{request.from, request.to, false, {}};
  std::move(collector).finish(result);
  return result;
}

}  // namespace gpulse
