#include "cli/outlet_inbox.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "platform/file.h"
#include "server/json_writer.h"

namespace gpulse::cli {
namespace {

constexpr std::string_view kNote = ".json";       // beside a log: what is known of it
constexpr std::string_view kUnfinished = ".new";  // not all of it is there yet

std::filesystem::path with(std::filesystem::path path, std::string_view suffix) {
  path += suffix;
  return path;
}

std::string to_json(const ImportRequest& request) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().member("name", request.name).key("host");
  json.string(request.host.value_or("")).member("gpu", request.gpu.value_or(""));
  json.member("timezone", request.timezone.value_or("")).end_object();
  return out;
}

std::optional<ImportRequest> read_note(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const simdjson::padded_string text(std::string{std::istreambuf_iterator<char>(in), {}});
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (!in || parser.parse(text).get(root) != simdjson::SUCCESS) return std::nullopt;
  const auto word = [&](std::string_view name) {
    std::string_view found;
    return root[name].get(found) == simdjson::SUCCESS ? std::string(found) : std::string();
  };
  return ImportRequest{word("name"), word("host"), word("gpu"), word("timezone")};
}

Error trouble(const std::filesystem::path& file, const std::string& reason) {
  return {ErrorKind::operation, fmt::format("cannot keep {}: {}", display(file), reason), true};
}

}  // namespace

Expected<void> link_or_copy(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  std::filesystem::create_hard_link(from, to, error);
  if (error) std::filesystem::copy_file(from, to, error);
  if (error) return std::unexpected(trouble(to, error.message()));
  return flush_to_disk(to);
}

Expected<void> OutletInbox::open(std::filesystem::path folder) {
  folder_ = std::move(folder);
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) return std::unexpected(trouble(folder_, error.message()));
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    if (entry.path().extension() == kNote) waiting_.push_back(display(entry.path().stem()));
  }
  std::ranges::sort(waiting_);
  return {};
}

// The note gets its name last: without one a log is not there.
Expected<void> OutletInbox::put(const std::filesystem::path& file, const ImportRequest& request) {
  const auto log = folder_ / file.filename();
  std::error_code error;
  if (std::filesystem::exists(with(log, kNote), error)) return {};
  std::filesystem::remove(log, error);
  if (auto kept = link_or_copy(file, log); !kept) return kept;
  const auto note = with(log, kUnfinished);
  std::ofstream out(note, std::ios::binary | std::ios::trunc);
  out << to_json(request);
  out.close();
  if (!out) return std::unexpected(trouble(note, "it cannot be written"));
  if (auto flushed = flush_to_disk(note); !flushed) return flushed;
  if (const auto moved = move_file(note, with(log, kNote))) {
    return std::unexpected(trouble(note, moved.message()));
  }
  if (auto flushed = flush_to_disk(folder_); !flushed) return flushed;
  const std::lock_guard lock(mutex_);
  waiting_.push_back(display(file.filename()));
  news_.notify_one();
  return {};
}

std::optional<OutletInbox::Entry> OutletInbox::next(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (news_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
    const auto log = folder_ / waiting_.front();
    waiting_.pop_front();
    if (auto request = read_note(with(log, kNote))) return Entry{log, std::move(*request)};
  }
  return std::nullopt;
}

void OutletInbox::remove(const Entry& entry) {
  std::error_code ignored;  // it is taken up a second time then, and known
  std::filesystem::remove(with(entry.log, kNote), ignored);
  std::filesystem::remove(entry.log, ignored);
}

}  // namespace gpulse::cli
