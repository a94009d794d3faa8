#include "server/exposition.h"

#include <algorithm>

#include "server/json_writer.h"
#include "server/utf8.h"

namespace gpulse {
namespace {

void append_label_value(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text, i);
    if (length == 0) {
      out += kReplacementCharacter;
    } else if (text[i] == '\n') {
      out += "\\n";
    } else {
      if (text[i] == '"' || text[i] == '\\') out += '\\';
      out += text.substr(i, length);
    }
    i += std::max<std::size_t>(length, 1);
  }
}

// HELP texts know two escapes only.
std::string help_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\\') {
      out += c == '\n' ? "\\n" : "\\\\";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

bool Exposition::declare(const std::string& name, std::string_view type, const std::string& help) {
  const auto [at, added] = families_.try_emplace(name);
  if (added) {
    at->second.help = help;
    at->second.type = type;
    order_.push_back(name);
  }
  return at->second.help == help;
}

void Exposition::sample(const std::string& name, std::initializer_list<ExpositionLabel> labels,
                        double value) {
  std::string& lines = families_.at(name).lines;
  lines += name;
  char separator = '{';
  for (const auto& [key, text] : labels) {
    lines += separator;
    lines.append(key).append("=\"");
    append_label_value(lines, text);
    lines += '"';
    separator = ',';
  }
  if (labels.size() > 0) lines += '}';
  lines += ' ';
  append_json_double(lines, value);
  lines += '\n';
}

void Exposition::single(const std::string& name, std::string_view type, const std::string& help,
                        double value) {
  declare(name, type, help);
  sample(name, {}, value);
}

void Exposition::add_process(std::string_view version, const std::optional<ProcessUsage>& usage) {
  declare("gpulse_build_info", kGauge, "Always 1; its label is the version.");
  sample("gpulse_build_info", {{"version", version}}, 1);
  if (!usage) return;
  single("gpulse_process_cpu_seconds_total", kCounter,
         "CPU time that this process has used, user and system.", usage->cpu_seconds);
  single("gpulse_process_resident_memory_bytes", kGauge, "Memory that this process holds resident.",
         usage->resident_bytes);
}

void Exposition::add_requests(const RequestCounters& requests) {
  declare("gpulse_http_requests_total", kCounter, "HTTP requests answered, by status.");
  for (int status = 0; status < RequestCounters::kStatusEnd; ++status) {
    const std::uint64_t count = requests.of(status);
    if (count == 0) continue;
    sample("gpulse_http_requests_total", {{"code", std::to_string(status)}},
           static_cast<double>(count));
  }
}

std::string Exposition::text() const {
  std::string out;
  for (const std::string& name : order_) {
    const Family& family = families_.at(name);
    if (family.lines.empty()) continue;
    out += "# HELP " + name + ' ' + help_text(family.help) + '\n';
    out += "# TYPE " + name + ' ' + std::string(family.type) + '\n';
    out += family.lines;
  }
  return out;
}

}  // namespace gpulse
