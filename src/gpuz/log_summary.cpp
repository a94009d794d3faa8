#include "gpuz/log_summary.h"

#include <algorithm>

namespace gpulse {

void LogSummary::on_rows(const SampleBatch& batch) {
  if (batch.layout != layout_) map_columns(batch.layout);
  source_ = batch.source;
  rows_ += static_cast<std::int64_t>(batch.rows());
  if (sessions_.empty() || sessions_.back().session != batch.session) {
    sessions_.push_back({batch.session, batch.times.front(), {}, 0, batch.layout});
  }
  sessions_.back().last = batch.times.back();
  sessions_.back().rows += static_cast<std::int64_t>(batch.rows());
  for (std::size_t i = 0; i < batch.columns.size(); ++i) {
    Metric& metric = metrics_[metric_of_column_[i]];
    const ReadingColumn& column = batch.columns[i];
    metric.rows += static_cast<std::int64_t>(batch.rows());
    metric.absent += std::ranges::count(column.presence(), 0);
    metric.decimals = std::max(metric.decimals, column.decimals());
    metric.values.add(column);
  }
}

void LogSummary::on_set_aside(const SetAside& line) {
  ++set_aside_count_;
  if (set_aside_.size() < kSetAsideKept) set_aside_.push_back(line);
}

void LogSummary::map_columns(const LayoutPtr& layout) {
  layout_ = layout;
  metric_of_column_.clear();
  for (const ColumnName& column : layout->columns) {
    const auto known =
        std::ranges::find(metrics_, column.metric, [](const Metric& m) { return m.column.metric; });
    metric_of_column_.push_back(static_cast<std::size_t>(known - metrics_.begin()));
    if (known == metrics_.end()) metrics_.push_back({column, 0, 0, 0, {}});
  }
}

}  // namespace gpulse
