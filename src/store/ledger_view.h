// The ledger as one who looks on sees it: of use to other programs than the one that writes it.
//
// Not a way round the folder's lock: that keeps a second writer out, and this one cannot write.
// What it sees is one committed state, whatever is written meanwhile; SQLite's WAL gives it that
// without holding the writer up. Until it goes the writer's -wal file only grows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/ledger_records.h"
#include "store/sqlite.h"

namespace gpulse {

// Not thread-safe. Errors are Database's, and an operation error for what is unreadable.
class LedgerView {
 public:
  struct Session {
    std::int64_t id = 0;
    std::int64_t session = 0;
    std::int64_t rows = 0;  // that retention left
  };

  // An operation error that says so when there is no ledger in the folder, or one of another
  // version.
  [[nodiscard]] static Expected<std::unique_ptr<LedgerView>> open(
      const std::filesystem::path& folder);

  [[nodiscard]] Expected<std::vector<LedgerSource>> sources();
  // In the order of the log.
  [[nodiscard]] Expected<std::vector<Session>> sessions(const LedgerSource& source);
  // Visits the rows of a session in time order, which is the log's, some thousand a call.
  [[nodiscard]] Expected<void> scan(
      const LedgerSource& source, const Session& session,
      const std::function<Expected<void>(const SampleBatch&)>& visitor);

 private:
  struct Format;

  explicit LedgerView(std::unique_ptr<Database> database) : database_(std::move(database)) {}
  [[nodiscard]] Expected<Format> format(std::int64_t id);

  std::unique_ptr<Database> database_;
};

}  // namespace gpulse
