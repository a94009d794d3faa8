#include "store/window_codec.h"

#include <cstdint>
#include <cstring>

namespace gpulse {
namespace {

// Sensors stand still for most windows: one number then says all three.
enum class Form : std::uint8_t { none, still, moving };

template <class T>
void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
bool take(std::string_view& bytes, T& value) {
  if (bytes.size() < sizeof value) return false;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return true;
}

Form form_of(const WindowStatistics& metric) {
  if (metric.count == 0) return Form::none;
  return metric.min == metric.max && metric.mean == metric.min ? Form::still : Form::moving;
}

}  // namespace

// A column: its form; the count in 4 bytes; then one double, or mean, min and max.
void encode_window(const Window& window, std::string& out) {
  for (const WindowStatistics& metric : window.metrics) {
    const Form form = form_of(metric);
    append(out, form);
    if (form == Form::none) continue;
    append(out, static_cast<std::uint32_t>(metric.count));
    append(out, metric.mean);
    if (form == Form::still) continue;
    append(out, metric.min);
    append(out, metric.max);
  }
}

bool decode_window(std::string_view bytes, std::size_t columns,
                   std::vector<WindowStatistics>& out) {
  out.assign(columns, {});
  for (WindowStatistics& metric : out) {
    Form form{};
    std::uint32_t count = 0;
    if (!take(bytes, form) || form > Form::moving) return false;
    if (form == Form::none) continue;
    if (!take(bytes, count) || !take(bytes, metric.mean)) return false;
    metric.count = count;
    metric.min = metric.max = metric.mean;
    if (form == Form::moving && (!take(bytes, metric.min) || !take(bytes, metric.max))) {
      return false;
    }
  }
  return bytes.empty();
}

}  // namespace gpulse
