// Where in a log reading goes on.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gpuz/log_reader.h"
#include "platform/file.h"
#include "store/source_writer.h"
#include "store/store.h"

namespace gpulse {

struct LogTarget {
  std::string name;  // under which the log is known: its path, whatever name the file has by now
  Device device;     // for a source that is new
  std::shared_ptr<const TimeZone> zone;
  bool rezone = false;  // what was read in another zone is removed and read again
  // Asked to let go of a source that is about to be read on; whether it was being read. May be
  // empty.
  std::function<bool(const std::string& source)> take_over;
};

// A place in a log, and what reads and writes on from there.
struct LogPlace {
  LogReader reader;
  std::unique_ptr<SourceWriter> writer;
  std::int64_t at = 0;  // the next byte to read
};

// Behind what is known of this log, should its bytes still agree with that; else at the start of a
// new generation of it ("~2", ...), or of a source never seen. None while the file holds no row.
// Rows that begin a file of which the beginning is gone belong to what it held before. A usage
// error when it was read in another zone, an input error when it is no GPU-Z log. On any thread.
[[nodiscard]] Expected<std::optional<LogPlace>> find_place(Store& store, const LogTarget& target,
                                                           const ReadFile& file);

// The file beside `file` that goes on what was last read under that name, should it have been
// renamed while nobody followed it. On any thread.
[[nodiscard]] std::optional<ReadFile> find_renamed(const Store& store,
                                                   const std::filesystem::path& file);

}  // namespace gpulse
