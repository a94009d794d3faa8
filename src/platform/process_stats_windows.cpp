#include <windows.h>
// After windows.h, whose types it uses.
#include <psapi.h>

#include "platform/process_stats.h"
#include "platform/windows_api.h"

namespace gpulse {
namespace {

using std::chrono::microseconds;

// 100 ns steps since the year 1601, or of a length.
std::int64_t ticks(const FILETIME& time) {
  return static_cast<std::int64_t>(std::uint64_t{time.dwHighDateTime} << 32 | time.dwLowDateTime);
}

constexpr std::int64_t kTicksAMicrosecond = 10;
constexpr std::int64_t kTicksUntil1970 = 116'444'736'000'000'000;

std::unexpected<Error> cannot_read(const char* what) {
  return operation_error("cannot read this process's own " + std::string(what) + ": " +
                         windows::message_of(GetLastError()));
}

}  // namespace

Expected<ProcessStats> process_stats() {
  const HANDLE self = GetCurrentProcess();
  FILETIME started{};
  FILETIME ended{};
  FILETIME kernel{};
  FILETIME user{};
  if (GetProcessTimes(self, &started, &ended, &kernel, &user) == 0) return cannot_read("times");
  PROCESS_MEMORY_COUNTERS memory{};
  if (GetProcessMemoryInfo(self, &memory, sizeof memory) == 0) return cannot_read("memory");
  DWORD handles = 0;
  if (GetProcessHandleCount(self, &handles) == 0) return cannot_read("handles");
  return ProcessStats{
      microseconds{(ticks(kernel) + ticks(user)) / kTicksAMicrosecond},
      static_cast<std::int64_t>(memory.WorkingSetSize), handles,
      Timestamp{microseconds{(ticks(started) - kTicksUntil1970) / kTicksAMicrosecond}}};
}

}  // namespace gpulse
