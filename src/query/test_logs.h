// A small reader of GPU-Z logs for the tests of query/, apart from the program's own: local times
// are taken as UTC, and what it cannot read it leaves out.
#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/test_history.h"
#include "telemetry/metric.h"

namespace gpulse::test {

inline std::string ascii_trimmed(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    if (letter >= ' ' && letter <= '~') out += letter;
  }
  const auto begin = out.find_first_not_of(' ');
  return begin == std::string::npos ? "" : out.substr(begin, out.find_last_not_of(' ') - begin + 1);
}

inline std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::size_t begin = 0;
  for (std::size_t comma = line.find(','); comma != std::string::npos;
       comma = line.find(',', begin)) {
    cells.push_back(ascii_trimmed(std::string_view(line).substr(begin, comma - begin)));
    begin = comma + 1;
  }
  return cells;
}

inline std::string metric_titled(const std::string& title) {
  for (const Metric& metric : MetricCatalogue::get().metrics()) {
    for (const std::string& known : metric.titles) {
      if (ascii_trimmed(known) == title) return metric.name;
    }
  }
  return title;
}

inline std::optional<Timestamp> local_time(const std::string& text) {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (std::sscanf(text.c_str(), "%d-%d-%d %d:%d:%d", &year, &month, &day, &hour, &minute,
                  &second) != 6) {
    return std::nullopt;
  }
  const std::chrono::sys_days date{std::chrono::year{year} / month / day};
  return date + std::chrono::hours{hour} + std::chrono::minutes{minute} +
         std::chrono::seconds{second};
}

// One session per header.
inline TestHistory read_log(std::istream& log) {
  std::vector<TestSession> sessions;
  TestHistory history;
  for (std::string line; std::getline(log, line);) {
    const auto cells = cells_of(line);
    if (cells.empty()) continue;
    if (cells[0] == "Date") {
      sessions.emplace_back();
      for (std::size_t column = 1; column < cells.size(); ++column) {
        sessions.back().metrics.push_back(metric_titled(cells[column]));
      }
      sessions.back().columns.resize(cells.size() - 1);
      continue;
    }
    const auto time = local_time(cells[0]);
    if (!time || sessions.empty() || cells.size() != sessions.back().columns.size() + 1) continue;
    sessions.back().times.push_back(*time);
    for (std::size_t column = 1; column < cells.size(); ++column) {
      const bool there = !cells[column].empty() && cells[column] != "-";
      sessions.back().columns[column - 1].push_back(
          there ? std::strtod(cells[column].c_str(), nullptr) : kAbsent);
      const auto point = cells[column].find('.');
      if (point == std::string::npos) continue;
      const auto decimals = static_cast<int>(cells[column].size() - point - 1);
      history.set_decimals(sessions.back().metrics[column - 1], decimals);
    }
  }
  for (auto& session : sessions) {
    if (!session.times.empty()) history.add(std::move(session));
  }
  return history;
}

// nullopt when the folder of real logs is not there.
inline std::optional<TestHistory> read_real_log(const std::string& name) {
  const char* folder = std::getenv("GPULSE_REAL_LOGS");
  if (folder == nullptr || *folder == '\0') return std::nullopt;
  std::ifstream log(std::string(folder) + "/" + name, std::ios::binary);
  if (!log) return std::nullopt;
  return read_log(log);
}

}  // namespace gpulse::test
