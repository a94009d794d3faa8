#include "gpuz/log_generator.h"

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "gpuz/generator_card.h"
#include "gpuz/generator_columns.h"
#include "gpuz/generator_random.h"
#include "gpuz/generator_script.h"
#include "gpuz/generator_workload.h"

namespace gpulse {
namespace generator {
namespace {

using namespace std::chrono_literals;
using Microseconds = std::chrono::microseconds;

constexpr double kRoomUsual = 27;
constexpr double kRoomHot = 44;             // air at the card in a closed case in summer
constexpr double kFanCapped = 38;           // %
constexpr double kDustMostPercent = 55;     // of the cooler's resistance, added
constexpr double kPowerLimitShare = 0.8;    // of what a game would draw
constexpr double kAbsentRowChance = 1.0 / 4826;
// GPU-Z's timer runs a little slow, so that one row in so many shows a step of one second more.
constexpr std::int64_t kRowsPerDriftedInterval = 4825;
constexpr Microseconds kOffMin = 10min;     // a pause longer than this means that the PC was off

// The draw that the card's power limit counts, in the heaviest usual game.
double game_watts(const CardSpec& spec) {
  if (spec.limits_chip) return spec.chip_watts;
  return spec.chip_watts + spec.memory_watts[2] + 40 * spec.memory_watts_per_load +
         spec.other_watts;
}

double lowered_limit(const CardSpec& spec) {
  return 5 * static_cast<int>(game_watts(spec) * kPowerLimitShare / 5);
}

}  // namespace
}  // namespace generator

using namespace generator;

class LogGenerator::Impl {
 public:
  explicit Impl(const GeneratorOptions& options)
      : options_(options),
        columns_(columns_of(options.columns)),
        spec_(card_of(options.columns)),
        header_(header_text(options.columns, options.degree)),
        script_(write_script(options)),
        random_(options.seed),
        workload_(random_.next(), spec_.system_memory_idle_mb),
        card_(spec_, random_.next()),
        row_(options.columns, options.degree),
        held_(columns_.size()),
        counts_(columns_.size()),
        read_again_(columns_.size(), LocalTime::min()),
        facts_(make_facts(options.columns, "")),
        period_(options.interval + options.interval / kRowsPerDriftedInterval),
        next_time_(options.start) {
    enter_segment(0);
    evening_end_ = evening(std::chrono::floor<std::chrono::days>(next_time_), 22h);
    if (evening_end_ < next_time_ + 2h) evening_end_ += std::chrono::days{1};
  }

  bool next(std::string& out) {
    if (done_) return false;
    if (header_due_) {
      header_due_ = false;
      ++facts_.headers;
      ++segments_.back().headers;
      offset_ += header_.size();
      out += header_;
      return true;
    }
    write_row(out);
    choose_next_time();
    return true;
  }

  LocalTime time() const { return time_; }
  std::vector<Label> take_labels() { return std::exchange(labels_, {}); }
  const Facts& facts() const { return facts_; }
  std::span<const Facts> segments() const { return segments_; }

 private:
  const Segment& segment() const { return script_[segment_]; }

  void enter_segment(std::size_t index) {
    segment_ = index;
    next_pause_ = 0;
    open_faults_.clear();
    workload_.set_routine(segment().routine);
    segments_.push_back(make_facts(options_.columns, to_string(segment().scenario)));
  }

  Progress progress_at(LocalTime time) const {
    return options_.rows ? static_cast<Progress>(facts_.rows) : (time - options_.start).count();
  }

  void write_row(std::string& out) {
    const Progress progress = progress_at(next_time_);
    while (progress >= segment().end) {
      close_faults(segment().end);
      enter_segment(segment_ + 1);
    }
    const Environment environment = environment_at(progress);
    advance_models(environment);
    time_ = next_time_;
    read_columns();
    hold_stuck_sensor(progress);
    const bool absent = facts_.rows > 0 && random_.chance(kAbsentRowChance);
    if (absent) drop_first_sensors();
    row_.set_time(time_);
    for (std::size_t i = 0; i < counts_.size(); ++i) row_.set(i, counts_[i]);

    const WrittenRow row{time_, offset_, offset_ + row_.text().size(), counts_};
    out += row_.text();
    offset_ = row.end_offset;
    label_row(row, progress, absent);
    add_row(facts_, row);
    add_row(segments_.back(), row);
    last_row_offset_ = row.begin_offset;
  }

  Environment environment_at(Progress progress) const {
    Environment environment{.room = kRoomUsual, .limit_watts = spec_.limit_watts};
    for (const FaultWindow& window : segment().faults) {
      if (progress < window.begin || progress >= window.end) continue;
      switch (window.fault) {
        case Fault::power_limit: environment.limit_watts = lowered_limit(spec_); break;
        case Fault::thermal_limit:
          environment.room = kRoomHot;
          environment.fan_percent_most = kFanCapped;
          break;
        case Fault::dust:
          environment.dust = 1 + kDustMostPercent / 100 *
                                     static_cast<double>(progress - window.begin) /
                                     static_cast<double>(window.end - window.begin);
          break;
        case Fault::fan_failure: environment.fan1_failed = true; break;
        case Fault::stuck_sensor: break;
      }
    }
    return environment;
  }

  void advance_models(const Environment& environment) {
    double seconds = static_cast<double>(period_.count()) / 1e6;
    const Microseconds since = facts_.rows == 0 ? period_ : next_time_ - time_;
    if (since > kOffMin + period_) {
      card_.rest(static_cast<double>(since.count()) / 1e6, environment);
      workload_.restart();
    } else {
      seconds = static_cast<double>(since.count()) / 1e6;
    }
    card_.advance(seconds, workload_.advance(seconds), environment);
  }

  void read_columns() {
    const Readings& readings = card_.readings();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Column& column = columns_[i];
      if (time_ < read_again_[i]) continue;
      // Half a row of slack, or the slow timer would skip every reading that falls due just now.
      read_again_[i] = time_ + std::chrono::milliseconds{column.hold_ms} - period_ / 2;
      held_[i] = count_of(column, readings[static_cast<std::size_t>(column.sensor)]);
    }
    std::copy_n(held_.begin(), counts_.size(), counts_.begin());
  }

  std::size_t column_of(Sensor sensor) const {
    const auto found = std::ranges::find(columns_, sensor, &Column::sensor);
    return static_cast<std::size_t>(found - columns_.begin());
  }
  bool has(Sensor sensor) const { return column_of(sensor) < columns_.size(); }

  void hold_stuck_sensor(Progress progress) {
    for (const FaultWindow& window : segment().faults) {
      if (window.fault != Fault::stuck_sensor) continue;
      if (progress < window.begin || progress >= window.end) continue;
      const std::size_t column = column_of(Sensor::gpu_temperature);
      if (open_faults_.empty()) stuck_count_ = counts_[column];
      counts_[column] = stuck_count_;
    }
  }

  void drop_first_sensors() {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].fails_first) counts_[i] = RowText::kAbsent;
    }
  }

  // ---- labels ----

  void label_row(const WrittenRow& row, Progress progress, bool absent) {
    if (pause_) {
      pause_->end = row.time;
      pause_->end_offset = row.begin_offset;
      labels_.push_back(*std::exchange(pause_, std::nullopt));
    }
    close_faults(progress);
    for (const FaultWindow& window : segment().faults) {
      if (progress >= window.begin && progress < window.end) continue_fault(window, row);
    }
    if (absent) {
      const auto cells = std::ranges::count(row.counts, RowText::kAbsent);
      labels_.push_back({"absent_row", segment().scenario, "", static_cast<double>(cells), "cells",
                         row.time, row.time, row.begin_offset, row.end_offset});
    }
  }

  struct OpenFault {
    FaultWindow window;
    Label label;
  };

  void continue_fault(const FaultWindow& window, const WrittenRow& row) {
    auto open = std::ranges::find(open_faults_, window.fault,
                                  [](const OpenFault& fault) { return fault.window.fault; });
    if (open == open_faults_.end()) {
      Label label = describe(window.fault);
      label.begin = row.time;
      label.begin_offset = row.begin_offset;
      open = open_faults_.insert(open, {window, std::move(label)});
    }
    open->label.end = row.time;
    open->label.end_offset = row.end_offset;
  }

  Label describe(Fault fault) const {
    Label label;
    label.kind = to_string(fault);
    label.scenario = segment().scenario;
    label.metric = "gpu_temperature";
    label.unit = "°C";
    switch (fault) {
      case Fault::power_limit:
        label.metric = spec_.limits_chip ? "gpu_chip_power_draw" : "board_power_draw";
        label.magnitude = lowered_limit(spec_);
        label.unit = "W";
        break;
      case Fault::thermal_limit: label.magnitude = spec_.limit_temperature; break;
      case Fault::dust:
        label.magnitude = kDustMostPercent;
        label.unit = "%";
        break;
      case Fault::fan_failure:
        if (has(Sensor::fan1_rpm)) label.metric = "fan1_speed_rpm";
        label.unit = "RPM";
        break;
      case Fault::stuck_sensor: {
        const Column& column = columns_[column_of(Sensor::gpu_temperature)];
        label.magnitude = static_cast<double>(stuck_count_) / (column.decimals == 1 ? 10 : 1);
        break;
      }
    }
    return label;
  }

  // Ends what ends at or before `progress`.
  void close_faults(Progress progress) {
    std::erase_if(open_faults_, [&](OpenFault& fault) {
      if (progress < fault.window.end) return false;
      labels_.push_back(std::move(fault.label));
      return true;
    });
  }

  // ---- time ----

  void choose_next_time() {
    next_time_ += period_;
    const LocalTime unpaused = next_time_;
    bool restarts = false;
    if (const Pause* pause = due_pause()) {
      next_time_ += pause->length;
      restarts = pause->restarts;
    } else if (segment().evenings_only && next_time_ >= evening_end_) {
      sleep_until_next_evening();
      restarts = true;
    }
    if (progress_at(next_time_) >= script_.back().end) {
      done_ = true;
      close_faults(script_.back().end);
      return;
    }
    if (next_time_ != unpaused) {
      begin_pause(restarts);
    } else {
      label_slow_step();
    }
    header_due_ = restarts;
  }

  const Pause* due_pause() {
    const std::vector<Pause>& pauses = segment().pauses;
    if (next_pause_ == pauses.size() || progress_at(next_time_) < pauses[next_pause_].at)
      return nullptr;
    return &pauses[next_pause_++];
  }

  static LocalTime evening(std::chrono::local_days day, Microseconds time_of_day) {
    return LocalTime{day} + time_of_day;
  }

  void sleep_until_next_evening() {
    const auto seconds_about = [this](int minutes) {
      return std::chrono::seconds{static_cast<int>(random_.uniform(-minutes * 60, minutes * 60))};
    };
    auto day = std::chrono::floor<std::chrono::days>(evening_end_);
    if (evening_end_ - evening(day, 0h) > 12h) day += std::chrono::days{1};
    next_time_ = std::max(next_time_ + 1h, evening(day, 17h + seconds_about(40)));
    evening_end_ = evening(day, 22h + 45min + seconds_about(60));
  }

  std::chrono::seconds printed_step() const {
    using std::chrono::floor;
    using std::chrono::seconds;
    return floor<seconds>(next_time_) - floor<seconds>(time_);
  }

  void begin_pause(bool restarts) {
    pause_ = Label{restarts ? "restart" : "gap",
                   segment().scenario,
                   "",
                   static_cast<double>(printed_step().count()),
                   "s",
                   time_,
                   time_,
                   last_row_offset_,
                   0};
  }

  // A step of one second more than usual, from the slow timer.
  void label_slow_step() {
    const std::chrono::seconds step = printed_step();
    const bool whole_seconds = options_.interval % 1s == 0s;
    if (!whole_seconds || step == options_.interval) return;
    pause_ =
        Label{"slow_step", segment().scenario, "", static_cast<double>(step.count()), "s", time_,
              time_,       last_row_offset_,   0};
  }

  GeneratorOptions options_;
  std::span<const Column> columns_;
  const CardSpec& spec_;
  std::string header_;
  std::vector<Segment> script_;
  Random random_;
  Workload workload_;
  CardModel card_;
  RowText row_;
  std::vector<std::int32_t> held_;  // what the sensors said when they were last read
  std::vector<std::int32_t> counts_;  // what the row says
  std::vector<LocalTime> read_again_;  // when a sensor's next reading falls due
  Facts facts_;
  std::vector<Facts> segments_;
  Microseconds period_;
  LocalTime time_;
  LocalTime next_time_;
  LocalTime evening_end_;
  std::size_t segment_ = 0;
  std::size_t next_pause_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t last_row_offset_ = 0;
  bool header_due_ = true;
  bool done_ = false;
  std::int32_t stuck_count_ = 0;
  std::vector<OpenFault> open_faults_;
  std::optional<Label> pause_;  // waits for the first row after it
  std::vector<Label> labels_;
};

LogGenerator::LogGenerator(const GeneratorOptions& options)
    : impl_(std::make_unique<Impl>(options)) {
  assert(validate(options).has_value());
}
LogGenerator::LogGenerator(LogGenerator&&) noexcept = default;
LogGenerator& LogGenerator::operator=(LogGenerator&&) noexcept = default;
LogGenerator::~LogGenerator() = default;

bool LogGenerator::next(std::string& out) { return impl_->next(out); }
LocalTime LogGenerator::time() const { return impl_->time(); }
std::vector<Label> LogGenerator::take_labels() { return impl_->take_labels(); }
const Facts& LogGenerator::facts() const { return impl_->facts(); }
std::span<const Facts> LogGenerator::segments() const { return impl_->segments(); }

}  // namespace gpulse
