#include "query/limit_time.h"

#include <algorithm>
#include <cmath>

namespace gpulse {
namespace {

constexpr double kIdleLoad = 10;
constexpr std::size_t kSpansBuffered = 16 * kLimitSpansMax;

struct LimitBit {
  std::int64_t bit;
  LimitLane lane;
};
constexpr std::array<LimitBit, 5> kLimitBits{{
    {kPerfcapPower, LimitLane::power},
    {kPerfcapThermal, LimitLane::thermal},
    {kPerfcapReliabilityVoltage, LimitLane::reliability_voltage},
    {kPerfcapOperatingVoltage, LimitLane::operating_voltage},
    {kPerfcapSli, LimitLane::sli},
}};

// Which pauses to close: the `close` shortest; of equally long ones some of all, evenly.
std::vector<bool> shortest(const std::vector<std::chrono::microseconds>& pauses,
                           std::size_t close) {
  auto ordered = pauses;
  std::ranges::nth_element(ordered, ordered.begin() + static_cast<std::ptrdiff_t>(close - 1));
  const auto longest = ordered[close - 1];
  const auto shorter = std::ranges::count_if(pauses, [&](auto pause) { return pause < longest; });
  const auto equal = static_cast<std::size_t>(std::ranges::count(pauses, longest));
  const std::size_t of_equal = close - static_cast<std::size_t>(shorter);
  std::vector<bool> chosen(pauses.size());
  std::size_t seen = 0;
  for (std::size_t index = 0; index < pauses.size(); ++index) {
    chosen[index] = pauses[index] < longest;
    if (pauses[index] != longest) continue;
    chosen[index] = (seen + 1) * of_equal / equal > seen * of_equal / equal;
    ++seen;
  }
  return chosen;
}

// Closes the shortest pauses, so that `most` spans are left. Those are less than a pixel on any
// timeline; to drop the last spans instead would leave one side of it empty.
void close_pauses(LimitLaneStatistics& lane, std::size_t most) {
  auto& spans = lane.spans;
  if (spans.size() <= most) return;
  lane.cut = true;
  std::ranges::sort(spans, {}, &TimeRange::from);  // sessions may overlap
  std::vector<std::chrono::microseconds> pauses;
  for (std::size_t next = 1; next < spans.size(); ++next) {
    pauses.push_back(spans[next].from - spans[next - 1].to);
  }
  const std::vector<bool> closed = shortest(pauses, spans.size() - most);
  std::size_t kept = 0;
  for (std::size_t next = 1; next < spans.size(); ++next) {
    if (closed[next - 1]) {
      spans[kept].to = std::max(spans[kept].to, spans[next].to);
    } else {
      spans[++kept] = spans[next];
    }
  }
  spans.resize(kept + 1);
}

}  // namespace

std::string_view to_string(LimitLane lane) {
  switch (lane) {
    case LimitLane::power: return "power";
    case LimitLane::thermal: return "thermal";
    case LimitLane::reliability_voltage: return "reliability_voltage";
    case LimitLane::operating_voltage: return "operating_voltage";
    case LimitLane::sli: return "sli";
    case LimitLane::not_limited: return "not_limited";
    case LimitLane::idle: break;
  }
  return "idle";
}

void LimitTime::add(const TimedBlock& block, std::span<const double> perfcap,
                    std::span<const double> load) {
  for (std::size_t row = 0; row < perfcap.size(); ++row) {
    if (perfcap[row] != perfcap[row]) continue;
    const auto mask = std::llround(perfcap[row]);
    const std::chrono::microseconds duration{block.durations[row]};
    any_ = true;
    statistics_.duration += duration;
    if ((mask & kPerfcapLimits) == 0) {
      const bool idle = !load.empty() && load[row] < kIdleLoad;
      extend(idle ? LimitLane::idle : LimitLane::not_limited, block.times[row], duration);
      continue;
    }
    statistics_.limited += duration;
    for (const auto& [bit, lane] : kLimitBits) {
      if ((mask & bit) != 0) extend(lane, block.times[row], duration);
    }
  }
}

void LimitTime::extend(LimitLane lane, Timestamp time, std::chrono::microseconds duration) {
  auto& statistics = statistics_.lanes[static_cast<std::size_t>(lane)];
  statistics.duration += duration;
  auto& spans = statistics.spans;
  if (!spans.empty() && spans.back().to == time) {
    spans.back().to = time + duration;
    return;
  }
  if (spans.size() == kSpansBuffered) close_pauses(statistics, kSpansBuffered / 2);
  spans.push_back({time, time + duration});
}

std::optional<LimitStatistics> LimitTime::statistics() && {
  if (!any_) return std::nullopt;
  for (std::size_t index = 0; index < kLimitLanes; ++index) {
    auto& lane = statistics_.lanes[index];
    lane.lane = static_cast<LimitLane>(index);
    if (statistics_.duration.count() > 0) {
      lane.share = static_cast<double>(lane.duration.count()) /
                   static_cast<double>(statistics_.duration.count());
    }
    close_pauses(lane, kLimitSpansMax);
  }
  return std::move(statistics_);
}

}  // namespace gpulse
