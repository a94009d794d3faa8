#include "cli/running.h"

#include <simdjson.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

#include "cli/log_options.h"
#include "doctor/http_page.h"
#include "platform/file.h"
#include "platform/file_watcher.h"
#include "platform/folder_state.h"
#include "platform/host_name.h"
#include "platform/secret_file.h"
#include "server/access.h"
#include "server/json_writer.h"

namespace gpulse::cli {
namespace {

namespace fs = std::filesystem;
namespace dom = simdjson::dom;
using namespace std::chrono_literals;

constexpr const char* kFile = "running.json";
constexpr const char* kLockFile = "gpulse.lock";
// From taking the folder to serving: a large ledger takes a while to load.
constexpr auto kStartPatience = 5s;
constexpr auto kLookEvery = 50ms;

std::string text_of(dom::element object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::vector<std::string> texts_of(dom::element object, std::string_view key) {
  std::vector<std::string> texts;
  dom::array array;
  if (object[key].get(array) != simdjson::SUCCESS) return texts;
  for (const dom::element element : array) {
    std::string_view text;
    if (element.get(text) == simdjson::SUCCESS) texts.emplace_back(text);
  }
  return texts;
}

std::string to_json(const RunningNote& note) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().member("url", note.url).member("started", note.started);
  json.member("host", note.host).member("token_file", note.token_file);
  json.key("asked").begin_array();
  for (const std::string& option : note.asked) json.string(option);
  json.end_array().end_object();
  return text + '\n';
}

// None unless it is this user's own, and of this machine: a folder may be on a network.
std::optional<RunningNote> read_note(const fs::path& folder) {
  const fs::path file = folder / kFile;
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  dom::parser parser;
  dom::element object;
  if (!in || parser.parse(text).get(object) != simdjson::SUCCESS) return std::nullopt;
  const auto access = path_access(file);
  const auto started = parse_timestamp(text_of(object, "started"));
  RunningNote note{text_of(object, "url"), started.value_or(Timestamp{}), text_of(object, "host"),
                   text_of(object, "token_file"), texts_of(object, "asked")};
  if (!access || !access->ours || !started || note.host != host_name()) return std::nullopt;
  return note;
}

// "127.0.0.1:8337" of "http://127.0.0.1:8337/"; empty for anything else.
std::string address_of(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme) || !url.ends_with('/')) return {};
  return std::string(url.substr(kScheme.size(), url.size() - kScheme.size() - 1));
}

// What stands in a note is old, or made up, until who serves there says the same.
std::optional<Running> confirm(RunningNote note, const fs::path& folder) {
  std::string token;
  if (!note.token_file.empty()) token = read_token_file(path_of(note.token_file)).value_or("");
  const auto page = doctor::get_page(address_of(note.url), "/healthz", token);
  dom::parser parser;
  dom::element health;
  dom::element program;
  if (!page || parser.parse(page->body).get(health) != simdjson::SUCCESS ||
      health["program"].get(program) != simdjson::SUCCESS ||
      text_of(program, "started") != to_rfc3339(note.started)) {
    return std::nullopt;
  }
  std::string shown = with_token(note.url, token);
  return Running{std::move(note), folder, texts_of(health, "followed"), std::move(shown)};
}

std::optional<Running> look(const fs::path& folder) {
  auto note = read_note(folder);
  return note ? confirm(*std::move(note), folder) : std::nullopt;
}

}  // namespace

Expected<RunningFile> RunningFile::write(const fs::path& folder, const RunningNote& note) {
  const fs::path file = folder / kFile;
  const fs::path part = folder / (std::string(kFile) + ".part");
  std::error_code error;
  std::ofstream out(part, std::ios::binary | std::ios::trunc);
  if (out) {
    if (auto kept = keep_to_owner(part); !kept) return std::unexpected(kept.error());
  }
  out << to_json(note);
  out.close();
  if (out) error = move_file(part, file);
  if (error || !out) {
    return operation_error("cannot write " + display(file) +
                           (error ? ": " + error.message() : std::string()));
  }
  return RunningFile(file);
}

RunningFile::RunningFile(RunningFile&& other) noexcept : file_(std::exchange(other.file_, {})) {}

RunningFile::~RunningFile() {
  std::error_code ignored;
  if (!file_.empty()) fs::remove(file_, ignored);
}

std::optional<Running> running_on(const fs::path& folder) {
  const auto until = std::chrono::steady_clock::now() + kStartPatience;
  const auto watcher = FileWatcher::watch(folder / kFile);
  for (;;) {
    if (auto running = look(folder)) return running;
    if (!lock_holder(folder / kLockFile) || std::chrono::steady_clock::now() >= until) {
      return std::nullopt;
    }
    // The note's coming is told; that it is answered to, or that its writer has ended, is not.
    static_cast<void>(watcher->wait(kLookEvery));
  }
}

std::optional<Running> running_at(const std::string& address) {
  const auto page = doctor::get_page(address, "/healthz");
  dom::parser parser;
  dom::element program;
  if (!page || parser.parse(page->body)["program"].get(program) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  // Its folder is where this user's own note must be, and the note must lead back to it.
  const fs::path folder = path_of(text_of(program, "data"));
  auto running = look(folder);
  if (!running || to_rfc3339(running->note.started) != text_of(program, "started")) {
    return std::nullopt;
  }
  return running;
}

}  // namespace gpulse::cli
