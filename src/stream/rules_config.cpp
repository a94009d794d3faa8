#include "stream/rules_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <initializer_list>

// As values, not exceptions.
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace gpulse {
namespace {

struct Entry {
  AlertRule rule;
  bool enabled = true;
  std::uint32_t line = 0;
};

bool same_key(const AlertRule& a, const AlertRule& b) {
  return a.metric == b.metric && a.limit == b.limit;
}

bool begins_key(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '"' || c == '\'' || static_cast<unsigned char>(c) >= 0x80;
}

// The line of a table heading whose brackets no key follows ("[[[rules]]"), or 0. toml++ 3.3 takes
// for granted that one does, and goes wrong by an assertion, or without assertions anyhow.
std::uint32_t line_of_heading_without_key(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (std::uint32_t line = 1;; ++line) {
    const auto end = text.find('\n');
    auto rest = text.substr(0, end);
    rest.remove_prefix(std::min(rest.find_first_not_of(kBlank), rest.size()));
    if (rest.starts_with('[')) {
      rest.remove_prefix(rest.starts_with("[[") ? 2 : 1);
      const auto key = rest.find_first_not_of(kBlank);
      if (key == std::string_view::npos || !begins_key(rest[key])) return line;
    }
    if (end == std::string_view::npos) return 0;
    text.remove_prefix(end + 1);
  }
}

class RulesParser {
 public:
  explicit RulesParser(std::string_view file) : file_(file) {}

  Expected<std::vector<AlertRule>> parse(std::string_view text) {
    if (const auto line = line_of_heading_without_key(text); line != 0) {
      return usage_error(fmt::format("{}:{}: brackets without a name in them", file_, line));
    }
    const toml::parse_result parsed = toml::parse(text);
    if (!parsed) {
      const auto& error = parsed.error();
      return wrong(error.source(), error.description());
    }
    const toml::table& root = parsed.table();
    if (auto known = check_keys(root, {"replace_defaults", "rules"}); !known) {
      return std::unexpected(known.error());
    }
    bool replace = false;
    if (auto read = read_bool(root, "replace_defaults", replace); !read) {
      return std::unexpected(read.error());
    }
    auto entries = read_entries(root);
    if (!entries) return std::unexpected(entries.error());
    return merged(replace, *entries);
  }

 private:
  std::unexpected<Error> wrong(const toml::source_region& where, std::string_view what) const {
    return usage_error(fmt::format("{}:{}: {}", file_, where.begin.line, what));
  }

  Expected<void> check_keys(const toml::table& table,
                            std::initializer_list<std::string_view> allowed) const {
    for (const auto& [key, value] : table) {
      if (std::ranges::find(allowed, key.str()) == allowed.end()) {
        return wrong(key.source(), fmt::format("there is no \"{}\"; allowed are {}", key.str(),
                                               fmt::join(allowed, ", ")));
      }
    }
    return {};
  }

  Expected<void> read_bool(const toml::table& table, std::string_view key, bool& into) const {
    const toml::node* node = table.get(key);
    if (node == nullptr) return {};
    const auto value = node->value_exact<bool>();
    if (!value) return wrong(node->source(), fmt::format("{} must be true or false", key));
    into = *value;
    return {};
  }

  Expected<double> read_number(const toml::node& node, std::string_view key) const {
    const auto value = node.is_number() ? node.value<double>() : std::nullopt;
    if (!value || !std::isfinite(*value)) {
      return wrong(node.source(), fmt::format("{} must be a number in the metric's unit", key));
    }
    return *value;
  }

  Expected<std::vector<Entry>> read_entries(const toml::table& root) const {
    std::vector<Entry> entries;
    const toml::node* node = root.get("rules");
    if (node == nullptr) return entries;
    const toml::array* array = node->as_array();
    if (array == nullptr || !std::ranges::all_of(*array, &toml::node::is_table)) {
      return wrong(node->source(), "rules must be written as [[rules]], one for each");
    }
    for (const toml::node& element : *array) {
      auto entry = read_entry(*element.as_table());
      if (!entry) return std::unexpected(entry.error());
      const auto twin = std::ranges::find_if(
          entries, [&](const Entry& other) { return same_key(other.rule, entry->rule); });
      if (twin != entries.end()) {
        return wrong(element.source(),
                     fmt::format("the rule of line {} has the same metric and limit", twin->line));
      }
      entries.push_back(std::move(*entry));
    }
    return entries;
  }

  Expected<Entry> read_entry(const toml::table& table) const {
    if (auto known =
            check_keys(table, {"metric", "limit", "release", "for", "severity", "enabled"});
        !known) {
      return std::unexpected(known.error());
    }
    Entry entry;
    entry.line = table.source().begin.line;
    auto read = read_metric(table, entry.rule);
    if (read) read = read_limits(table, entry.rule);
    if (read) read = read_hold(table, entry.rule);
    if (read) read = read_severity(table, entry.rule);
    if (read) read = read_bool(table, "enabled", entry.enabled);
    if (!read) return std::unexpected(read.error());
    return entry;
  }

  Expected<void> read_metric(const toml::table& table, AlertRule& rule) const {
    const toml::node* node = table.get("metric");
    if (node == nullptr) return wrong(table.source(), "a rule needs a metric");
    const auto name = node->value_exact<std::string>();
    const auto in_form = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    };
    if (!name || name->empty() || !std::ranges::all_of(*name, in_form)) {
      return wrong(node->source(),
                   "metric must be a metric's name in quotes, like \"gpu_temperature\"");
    }
    rule.metric = *name;
    return {};
  }

  Expected<void> read_limits(const toml::table& table, AlertRule& rule) const {
    const toml::node* limit = table.get("limit");
    if (limit == nullptr) return wrong(table.source(), "a rule needs a limit");
    const auto limit_value = read_number(*limit, "limit");
    if (!limit_value) return std::unexpected(limit_value.error());
    rule.limit = rule.release = *limit_value;
    if (const toml::node* release = table.get("release")) {
      const auto release_value = read_number(*release, "release");
      if (!release_value) return std::unexpected(release_value.error());
      rule.release = *release_value;
    }
    return {};
  }

  Expected<void> read_hold(const toml::table& table, AlertRule& rule) const {
    const toml::node* node = table.get("for");
    if (node == nullptr) return {};
    std::optional<std::int64_t> hold;
    if (const auto number = node->value_exact<std::int64_t>()) {
      hold = number;
    } else if (const auto text = node->value_exact<std::string>()) {
      hold = parse_duration(*text);
    }
    if (!hold || *hold < 0 || *hold > kHoldMax) {
      return wrong(node->source(),
                   R"(for must be whole seconds, or a text like "10s", "2m" or "1h", up to a day)");
    }
    rule.hold = std::chrono::seconds{*hold};
    return {};
  }

  Expected<void> read_severity(const toml::table& table, AlertRule& rule) const {
    const toml::node* node = table.get("severity");
    if (node == nullptr) return {};
    const auto text = node->value_exact<std::string>();
    const auto severity = text ? parse_severity(*text) : std::nullopt;
    if (!severity) {
      return wrong(node->source(), R"(severity must be "info", "warning" or "critical")");
    }
    rule.severity = *severity;
    return {};
  }

  static std::optional<std::int64_t> parse_duration(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number < 0 || number > kHoldMax) return std::nullopt;
    const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    if (unit == "s") return number;
    if (unit == "m" || unit == "min") return number * 60;
    if (unit == "h") return number * 3600;
    return std::nullopt;
  }

  static std::vector<AlertRule> merged(bool replace, const std::vector<Entry>& entries) {
    std::vector<AlertRule> rules;
    if (!replace) rules.assign(default_alert_rules().begin(), default_alert_rules().end());
    for (const Entry& entry : entries) {
      const auto at = std::ranges::find_if(
          rules, [&](const AlertRule& rule) { return same_key(rule, entry.rule); });
      if (at == rules.end()) {
        if (entry.enabled) rules.push_back(entry.rule);
      } else if (entry.enabled) {
        *at = entry.rule;
      } else {
        rules.erase(at);
      }
    }
    return rules;
  }

  static constexpr std::int64_t kHoldMax = 86'400;
  std::string_view file_;
};

}  // namespace

Expected<std::vector<AlertRule>> parse_alert_rules(std::string_view text, std::string_view file) {
  return RulesParser(file).parse(text);
}

}  // namespace gpulse
