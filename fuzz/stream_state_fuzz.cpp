// The state of windows and alerts as it may come back from a damaged ledger: refused as a whole, or
// good enough to go on with. What was taken must save and restore as itself.
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "fuzz/check.h"
#include "stream/alert.h"
#include "stream/window.h"

namespace {

using namespace gpulse;
using fuzz::check;

const Device kDevice{.host = "rig", .gpu = "gpu0"};

LayoutPtr layout() {
  static const auto shared = std::make_shared<const Layout>(
      Layout{{{"gpu_temperature", "°C"}, {"gpu_load", "%"}, {"gpu_voltage", "V"}}});
  return shared;
}

SampleBatch rows_of(std::int64_t session) {
  SampleBatch batch;
  batch.device = kDevice;
  batch.source = "0123456789abcdef";
  batch.session = session;
  batch.layout = layout();
  batch.columns = {ReadingColumn(1), ReadingColumn(0), ReadingColumn(4)};
  constexpr std::int64_t kStart = 1'700'000'000'000'000;
  for (std::int64_t row = 0; row < 90; ++row) {
    batch.times.push_back(from_microseconds(kStart + row * 1'000'000));
    batch.offsets.push_back(session + row * 100);
    batch.columns[0].push(row % 2 == 0 ? 900 : 700, 1);
    batch.columns[1].push(99, 0);
    if (row % 3 == 0) {
      batch.columns[2].push_absent();
    } else {
      batch.columns[2].push(8750, 4);
    }
  }
  return batch;
}

void go_on_with_windows(std::string_view state) {
  WindowAggregator windows;
  const bool taken = windows.restore(state, kDevice, "0123456789abcdef", layout()).has_value();
  if (taken) {
    const auto saved = windows.save();
    WindowAggregator again;
    check(again.restore(saved, kDevice, "0123456789abcdef", layout()).has_value(),
          "windows do not take what they saved");
    check(again.save() == saved, "windows save something else than they took");
  }
  std::vector<Window> out;
  const auto batch = rows_of(5000);
  windows.push(batch, batch.times.back(), out);
  windows.publish_provisional(out);
  windows.flush(out);
  check(!out.empty(), "90 rows give windows");
}

void go_on_with_alerts(std::string_view state) {
  const auto rules = default_alert_rules();
  AlertEvaluator alerts({rules.begin(), rules.end()});
  if (alerts.restore(state).has_value()) {
    const auto saved = alerts.save();
    AlertEvaluator again({rules.begin(), rules.end()});
    check(again.restore(saved).has_value(), "alerts do not take what they saved");
    check(again.save() == saved, "alerts save something else than they took");
  }
  std::vector<Alert> out;
  alerts.push(rows_of(5000), out);
  alerts.flush(out);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view state(reinterpret_cast<const char*>(data), size);
  go_on_with_windows(state);
  go_on_with_alerts(state);
  return 0;
}
