#include <windows.h>
// After windows.h, whose types it uses.
#include <psapi.h>

#include "platform/process_stats.h"
#include "platform/windows_api.h"

namespace gpulse {
namespace {

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
  return ProcessStats{windows::microseconds_of(kernel) + windows::microseconds_of(user),
                      static_cast<std::int64_t>(memory.WorkingSetSize), handles,
                      windows::timestamp_of(started)};
}

}  // namespace gpulse
