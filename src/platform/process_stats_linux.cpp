#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <system_error>

#include "platform/process_stats.h"

namespace gpulse {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

microseconds to_microseconds(const timeval& time) {
  return seconds{time.tv_sec} + microseconds{time.tv_usec};
}

std::unexpected<Error> cannot_read(const char* path) {
  return operation_error(std::string("cannot read this process's own figures from ") + path);
}

Expected<std::int64_t> resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::int64_t total_pages = 0;
  std::int64_t resident_pages = 0;
  if (!(in >> total_pages >> resident_pages)) return cannot_read("/proc/self/statm");
  return resident_pages * sysconf(_SC_PAGESIZE);
}

Expected<std::int64_t> open_files() {
  std::error_code error;
  std::int64_t count = 0;
  std::filesystem::directory_iterator entry("/proc/self/fd", error);
  for (; !error && entry != std::filesystem::directory_iterator{}; entry.increment(error)) ++count;
  if (error) return cannot_read("/proc/self/fd");
  return count - 1;  // less the one that listing takes
}

// Clock ticks from boot to the start of this process.
Expected<std::int64_t> start_ticks() {
  std::ifstream in("/proc/self/stat");
  // "pid (name) state ...": the name may hold blanks and brackets, so count from the last bracket
  // on.
  std::string line;
  std::getline(in, line);
  const auto name_end = line.rfind(") ");
  constexpr int kFieldsBetween = 19;  // from the state, field 3, to the start, field 22
  std::size_t at = name_end == std::string::npos ? name_end : name_end + 2;
  for (int i = 0; i < kFieldsBetween && at != std::string::npos; ++i) {
    at = line.find(' ', at);
    if (at != std::string::npos) ++at;
  }
  if (at == std::string::npos) return cannot_read("/proc/self/stat");
  return std::strtoll(line.c_str() + at, nullptr, 10);
}

Expected<seconds> boot_time() {
  std::ifstream in("/proc/stat");
  for (std::string word; in >> word;) {
    std::int64_t since_1970 = 0;
    if (word == "btime" && in >> since_1970) return seconds{since_1970};
    in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return cannot_read("/proc/stat");
}

Expected<Timestamp> start_time() {
  const auto boot = boot_time();
  if (!boot) return std::unexpected(boot.error());
  const auto ticks = start_ticks();
  if (!ticks) return std::unexpected(ticks.error());
  return Timestamp{*boot} + seconds{*ticks / sysconf(_SC_CLK_TCK)};
}

}  // namespace

Expected<ProcessStats> process_stats() {
  // It never changes, and /proc/stat grows with the number of interrupts: read once.
  static const Expected<Timestamp> started = start_time();
  if (!started) return std::unexpected(started.error());
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return cannot_read("getrusage");
  const auto resident = resident_bytes();
  if (!resident) return std::unexpected(resident.error());
  const auto files = open_files();
  if (!files) return std::unexpected(files.error());
  return ProcessStats{to_microseconds(usage.ru_utime) + to_microseconds(usage.ru_stime), *resident,
                      *files, *started};
}

}  // namespace gpulse
