#include "verify/place.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

namespace gpulse {

std::int64_t PlaceReport::OfLog::faults() const {
  return std::transform_reduce(sources.begin(), sources.end(), std::int64_t{0}, std::plus<>{},
                               [](const SourceReport& source) { return source.faults(); });
}

std::int64_t PlaceReport::faults() const {
  return std::transform_reduce(logs.begin(), logs.end(), std::int64_t{0}, std::plus<>{},
                               [](const OfLog& log) { return log.faults(); });
}

Expected<void> find_lines(const LogUnderTest& log, PlaceReport::OfLog& report) {
  std::vector<Finding*> findings;
  for (SourceReport& source : report.sources) {
    for (Finding& finding : source.findings) {
      if (finding.offset < log.survey.bytes) findings.push_back(&finding);
    }
  }
  std::ranges::sort(findings, {}, &Finding::offset);
  std::vector<std::int64_t> offsets;
  offsets.reserve(findings.size());
  for (const Finding* finding : findings) offsets.push_back(finding->offset);
  const auto lines = line_numbers(*log.file, offsets);
  if (!lines) return std::unexpected(lines.error());
  for (std::size_t i = 0; i < findings.size(); ++i) findings[i]->line = (*lines)[i];
  return {};
}

void note_earlier(std::span<const std::string> sources, PlaceReport::OfLog& report) {
  if (sources.empty()) return;
  report.notes.push_back(
      fmt::format("what the log held before it was rewritten in place is there, too, and is not "
                  "compared: {}",
                  fmt::join(sources, ", ")));
}

}  // namespace gpulse
