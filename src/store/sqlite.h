// SQLite's C interface with owners and values: what the ledger needs of it, no more. Errors are
// operation errors that name the file; a locked file, a full disk and an I/O error may pass.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "telemetry/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace gpulse {

class Database;

// A prepared statement. Binds from 1 as SQL's ?1 does, reads columns from 0. Not thread-safe; must
// go before its database.
class Statement {
 public:
  Statement() = default;  // only to be assigned to
  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, double value);
  Statement& bind(int index, std::string_view text);          // copied
  Statement& bind_blob(int index, std::string_view bytes);    // must live until the next step()
  Statement& bind_null(int index);
  template <class T>
  Statement& bind(int index, const std::optional<T>& value) {
    return value ? bind(index, *value) : bind_null(index);
  }

  // True: a row is there to be read. False: done, and ready to be bound again.
  [[nodiscard]] Expected<bool> step();
  // For statements without rows: steps once and resets.
  [[nodiscard]] Expected<void> run();
  // Steps through all rows; `row` reads each from this statement and returns an Expected<void>, an
  // error of which ends it.
  template <class Row>
  [[nodiscard]] Expected<void> for_each(Row row) {
    for (;;) {
      const auto stepped = step();
      if (!stepped) return std::unexpected(stepped.error());
      if (!*stepped) return {};
      if (auto taken = row(); !taken) {
        reset();
        return taken;
      }
    }
  }
  // The integer that is its only row's first column; then it is ready to be bound again.
  [[nodiscard]] Expected<std::int64_t> one_integer();
  void reset();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  // Valid until the next step() or reset().
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::optional<std::int64_t> optional_integer(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(Database& database, sqlite3_stmt* statement);
  Database* database_ = nullptr;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// One connection. Not thread-safe; several connections to one file may be used at once.
class Database {
 public:
  enum class Mode { read_write, read_only };
  [[nodiscard]] static Expected<std::unique_ptr<Database>> open(const std::filesystem::path& path,
                                                                Mode mode);
  ~Database();

  // One or more statements without results.
  [[nodiscard]] Expected<void> execute(const std::string& sql);
  // SQL of ours is right: an error here is of the file.
  [[nodiscard]] Expected<Statement> prepare(std::string_view sql);

  [[nodiscard]] std::unexpected<Error> error(std::string_view doing) const;

 private:
  friend class Statement;
  struct Close {
    void operator()(sqlite3* database) const;
  };
  Database(std::filesystem::path path, sqlite3* database);
  std::filesystem::path path_;
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace gpulse
