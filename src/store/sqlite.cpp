#include "store/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace gpulse {
namespace {

constexpr int kBusyMilliseconds = 5000;

std::string utf8(const std::filesystem::path& path) {
  const std::u8string text = path.u8string();
  return {text.begin(), text.end()};
}

// SQLITE_TRANSIENT is a cast of -1 to a function pointer.
auto transient() { return reinterpret_cast<sqlite3_destructor_type>(std::intptr_t{-1}); }

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement::Statement(Database& database, sqlite3_stmt* statement)
    : database_(&database), statement_(statement) {}

Statement& Statement::bind(int index, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), index, value);
  return *this;
}

Statement& Statement::bind(int index, double value) {
  sqlite3_bind_double(statement_.get(), index, value);
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), index, text.data(), text.size(), transient(), SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
  sqlite3_bind_blob64(statement_.get(), index, bytes.data(), bytes.size(), nullptr);
  return *this;
}

Statement& Statement::bind_null(int index) {
  sqlite3_bind_null(statement_.get(), index);
  return *this;
}

Expected<bool> Statement::step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) {
    reset();
    return false;
  }
  auto error = database_->error("store");
  reset();
  return error;
}

Expected<void> Statement::run() {
  const auto stepped = step();
  reset();
  if (!stepped) return std::unexpected(stepped.error());
  return {};
}

Expected<std::int64_t> Statement::one_integer() {
  const auto stepped = step();
  if (!stepped) return std::unexpected(stepped.error());
  const std::int64_t value = *stepped ? integer(0) : 0;
  reset();
  return value;
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::string_view Statement::text(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::optional<std::int64_t> Statement::optional_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Database::Database(std::filesystem::path path, sqlite3* database)
    : path_(std::move(path)), database_(database) {}

Database::~Database() = default;

Expected<std::unique_ptr<Database>> Database::open(const std::filesystem::path& path, Mode mode) {
  const int flags =
      mode == Mode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* raw = nullptr;
  const int result =
      sqlite3_open_v2(utf8(path).c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Database> database(new Database(path, raw));
  if (result != SQLITE_OK) return database->error("open");
  sqlite3_busy_timeout(raw, kBusyMilliseconds);
  return database;
}

Expected<void> Database::execute(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return error("change");
  }
  return {};
}

Expected<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
    return error("read");
  }
  return Statement(*this, statement);
}

std::unexpected<Error> Database::error(std::string_view doing) const {
  const int code = sqlite3_errcode(database_.get()) & 0xFF;
  const std::string name = utf8(path_);
  switch (code) {
    case SQLITE_FULL:
      return operation_error(fmt::format("cannot {} {}: the disk is full", doing, name), true);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return operation_error(
          fmt::format("cannot {} {}: another program holds it locked", doing, name), true);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return operation_error(
          fmt::format("cannot {} {}: it is damaged ({}). Move it away; gpulse reads the logs anew "
                      "into a fresh one",
                      doing, name, sqlite3_errmsg(database_.get())));
    default:
      return operation_error(
          fmt::format("cannot {} {}: {}", doing, name, sqlite3_errmsg(database_.get())),
          code == SQLITE_IOERR);
  }
}

}  // namespace gpulse
