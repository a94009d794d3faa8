#include "gpuz/header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "telemetry/metric.h"

namespace gpulse {
namespace {

// Names that stand for something else in a message, a table or a file.
constexpr std::array<std::string_view, 13> kReservedNames = {"time",
                                                             "timestamp",
                                                             "date",
                                                             "host",
                                                             "gpu",
                                                             "session",
                                                             "source",
                                                             "offset",
                                                             "other",
                                                             "high_temp_alert",
                                                             "high_cpu_temp_alert",
                                                             "high_power_alert",
                                                             "high_load_alert"};

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_alphanumeric(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z'); }

std::string ascii_part(std::string_view text) {
  std::string ascii;
  std::ranges::copy_if(text, std::back_inserter(ascii), is_ascii);
  return std::string(trim(ascii));
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

// "GPU Voltage (1)" -> "gpu_voltage_1"
std::string slug(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '#') continue;
    if (is_alphanumeric(c)) {
      out += lower(c);
    } else if (!out.empty() && out.back() != '_') {
      out += '_';
    }
  }
  while (out.ends_with('_')) out.pop_back();
  return out;
}

struct Title {
  std::string_view text;  // before the unit's bracket
  std::string_view unit;  // within it, as the log has it
};

Title split_title(std::string_view title) {
  title = trim(title);
  if (!title.ends_with(']')) return {title, {}};
  const auto open = title.rfind('[');
  if (open == std::string_view::npos) return {title, {}};
  return {trim(title.substr(0, open)), trim(title.substr(open + 1, title.size() - open - 2))};
}

std::optional<char32_t> decode_utf8(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  const std::size_t length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if ((first >= 0x80 && first < 0xC2) || first > 0xF4 || at + length > text.size()) {
    return std::nullopt;
  }
  char32_t code = length == 1 ? first : first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return std::nullopt;
    code = (code << 6) | (byte(at + i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
    return std::nullopt;
  }
  at += length;
  return code;
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (!decode_utf8(text, at)) return false;
  }
  return true;
}

// Text of another code page is read as Latin-1, which every byte sequence is.
std::string to_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xC0 | (byte >> 6));
      out += static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return out;
}

// East Asian code pages read the byte of the degree sign and the C behind it as one character
// (Korean U+CE9C, Chinese U+7648, ...), and there is a character U+2103 for both.
bool is_fused_celsius(std::string_view unit) {
  std::size_t at = 0;
  const auto code = unit.empty() || !is_utf8(unit) ? std::nullopt : decode_utf8(unit, at);
  if (!code || at != unit.size()) return false;
  return *code == 0x2103 || (*code >= 0x3000 && *code <= 0x9FFF) ||
         (*code >= 0xAC00 && *code <= 0xD7AF);
}

bool is_celsius(std::string_view unit) {
  if (is_fused_celsius(unit)) return true;
  std::string ascii = ascii_part(unit);
  const bool has_other = ascii.size() != unit.size();
  // What an editor saved that had no such character.
  ascii.erase(0, std::min(ascii.find_first_not_of('?'), ascii.size()));
  return ascii == "C" || ascii == "c" || (has_other && ascii.empty() && !is_utf8(unit));
}

// Units of one class mean the same quantity in the same scale.
std::string unit_class(std::string_view unit) {
  return is_celsius(unit) ? std::string("celsius") : lowered(ascii_part(unit));
}

std::string readable_unit(std::string_view unit) {
  return is_celsius(unit) ? std::string("°C") : to_utf8(unit);
}

struct CatalogueTitle {
  const Metric* metric;
  std::string unit_class;
};

// From a title's ASCII part to the metrics that bear it, in the catalogue's order.
const std::unordered_multimap<std::string, CatalogueTitle>& catalogue_titles() {
  static const auto titles = [] {
    std::unordered_multimap<std::string, CatalogueTitle> map;
    for (const Metric& metric : MetricCatalogue::get().metrics()) {
      for (const std::string& full : metric.titles) {
        const auto [text, unit] = split_title(full);
        map.emplace(ascii_part(text), CatalogueTitle{&metric, unit_class(unit)});
      }
    }
    return map;
  }();
  return titles;
}

std::string unknown_name(std::string_view text) {
  std::string name = slug(text);
  const bool reserved = std::ranges::find(kReservedNames, name) != kReservedNames.end();
  if (name.empty()) return "sensor";
  return is_digit(name.front()) || reserved ? "sensor_" + name : name;
}

}  // namespace

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string_view> split_cells(std::string_view line) {
  std::vector<std::string_view> cells;
  for (;;) {
    const auto comma = line.find(',');
    if (comma == std::string_view::npos) break;
    cells.push_back(line.substr(0, comma));
    line.remove_prefix(comma + 1);
  }
  if (!trim(line).empty() || cells.empty()) cells.push_back(line);
  return cells;
}

bool is_header(std::string_view line) {
  const auto comma = line.find(',');
  return comma != std::string_view::npos && trim(line.substr(0, comma)) == "Date";
}

ColumnName name_column(std::string_view title) {
  const auto [text, unit] = split_title(title);
  const auto [begin, end] = catalogue_titles().equal_range(ascii_part(text));
  const Metric* other_class = nullptr;
  for (auto candidate = begin; candidate != end; ++candidate) {
    const Metric* metric = candidate->second.metric;
    if (candidate->second.unit_class == unit_class(unit)) return {metric->name, metric->unit};
    if (other_class == nullptr || metric < other_class) other_class = metric;
  }
  if (other_class == nullptr) {
    std::string name = unknown_name(text);
    // "Gpu clock" is a title of nobody's, yet its name is taken.
    other_class = MetricCatalogue::get().find(name);
    if (other_class == nullptr) return {std::move(name), readable_unit(unit)};
    if (unit_class(other_class->unit) == unit_class(unit)) return {name, other_class->unit};
  }
  const std::string suffix = is_celsius(unit) ? "c" : slug(to_utf8(unit));
  return {other_class->name + (suffix.empty() ? "_unknown" : "_" + suffix), readable_unit(unit)};
}

Layout parse_header(std::string_view line) {
  const auto cells = split_cells(line);
  Layout layout;
  std::unordered_set<std::string> taken;
  std::unordered_map<std::string, int> numbers;  // the last one put behind a name
  for (std::size_t i = 1; i < cells.size(); ++i) {
    ColumnName column = name_column(cells[i]);
    const std::string first = column.metric;
    int& n = numbers[first];
    while (!taken.insert(column.metric).second) {
      n = std::max(n, 1) + 1;
      column.metric = fmt::format("{}_{}", first, n);
    }
    layout.columns.push_back(std::move(column));
  }
  return layout;
}

}  // namespace gpulse
