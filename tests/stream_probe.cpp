// stream_probe ZONE BATCH_ROWS LOG: prints the windows and alerts of a log, as
// tests/oracle/oracle.py does with --windows --alerts, but by the program's own reader, windows and
// rules.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <tuple>

#include "gpuz/log_reader.h"
#include "stream/alert.h"
#include "stream/window.h"

namespace {

using namespace gpulse;

class Streams final : public LogReceiver {
 public:
  void on_rows(const SampleBatch& batch) override {
    windows_.push(batch, system_clock().now(), finals_);
    alerts_.push(batch, changes_);
  }
  void on_set_aside(const SetAside&) override {}

  void print() {
    windows_.flush(finals_);
    alerts_.flush(changes_);
    fmt::print("{{\"windows\":[");
    for (std::size_t i = 0; i < finals_.size(); ++i) print_window(finals_[i], i == 0);
    fmt::print("],\"alerts\":[");
    // The last state of each alert is what counts.
    std::map<std::tuple<std::int64_t, Timestamp, std::string>, Alert> last;
    for (const Alert& alert : changes_) {
      last.insert_or_assign({alert.session, alert.began, alert.rule.name()}, alert);
    }
    bool first = true;
    for (const auto& [key, alert] : last) {
      print_alert(alert, first);
      first = false;
    }
    fmt::print("]}}\n");
  }

 private:
  static void print_window(const Window& window, bool first) {
    fmt::print(R"({}{{"session":{},"from":"{}","to":"{}","rows":{},"final":{},"metrics":{{)",
               first ? "" : ",\n", window.session, to_rfc3339(window.begin), to_rfc3339(window.end),
               window.rows, window.final);
    for (std::size_t i = 0; i < window.metrics.size(); ++i) {
      const WindowStatistics& metric = window.metrics[i];
      fmt::print(R"({}"{}":{{"count":{})", i == 0 ? "" : ",", window.layout->columns[i].metric,
                 metric.count);
      if (metric.count > 0) {
        fmt::print(R"(,"mean":{},"min":{},"max":{}}})", metric.mean, metric.min, metric.max);
      } else {
        fmt::print(R"(,"mean":null,"min":null,"max":null}})");
      }
    }
    fmt::print("}}}}");
  }

  static void print_alert(const Alert& alert, bool first) {
    const Timestamp ended = alert.ended.value_or(alert.began);
    fmt::print(
        "{}{{\"session\":{},\"rule\":\"{}\",\"metric\":\"{}\",\"limit\":{},\"release\":{},"
        "\"severity\":\"{}\",\"state\":\"{}\",\"began\":\"{}\",\"ended\":\"{}\","
        "\"end_reason\":\"{}\",\"seconds\":{},\"peak\":{},\"peak_at\":\"{}\"}}",
        first ? "" : ",\n", alert.session, alert.rule.name(), alert.rule.metric, alert.rule.limit,
        alert.rule.release, to_string(alert.rule.severity), alert.ended ? "ended" : "firing",
        to_rfc3339(alert.began), to_rfc3339(ended),
        alert.end_reason ? to_string(*alert.end_reason) : "",
        static_cast<double>((ended - alert.began).count()) / 1e6, alert.peak,
        to_rfc3339(alert.peak_at));
  }

  WindowAggregator windows_;
  AlertEvaluator alerts_{{default_alert_rules().begin(), default_alert_rules().end()}};
  std::vector<Window> finals_;
  std::vector<Alert> changes_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const auto zone = TimeZone::find(argv[1]);
  if (!zone) return 2;
  std::ifstream file(argv[3], std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  LogReaderOptions options;
  options.device = {"rig", "gpu0"};
  options.zone = *zone;
  options.batch_rows_max = std::stoul(argv[2]);
  LogReader reader(options);
  Streams streams;
  reader.push(bytes, streams);
  reader.close(streams);
  streams.print();
  return 0;
}
