#include "gpuz/log_file.h"

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <vector>

#include "gpuz/cell.h"

namespace gpulse {
namespace {

// Large enough that the calls do not count, small enough to stay in the processor's cache.
constexpr std::size_t kChunkBytes = std::size_t{512} << 10;
constexpr std::size_t kFirstWordsMax = 60;
constexpr std::int64_t kIdentifyBytesMax = std::int64_t{1} << 20;
constexpr std::size_t kStartBytes = 256;

}  // namespace

Expected<std::uint64_t> hash_before(const ReadFile& file, std::int64_t position) {
  std::vector<char> tail(static_cast<std::size_t>(std::min(position, kTailHashBytes)));
  const auto got = file.read_at(position - static_cast<std::int64_t>(tail.size()), tail);
  if (!got) return std::unexpected(got.error());
  return XXH3_64bits(tail.data(), *got);
}

Expected<Identified> identify_log(const ReadFile& file) {
  struct Nobody final : LogReceiver {
    void on_rows(const SampleBatch& /*batch*/) override {}
    void on_set_aside(const SetAside& /*line*/) override {}
  } nobody;
  // The zone does not enter the identity.
  LogReader reader({.device = {}, .zone = *TimeZone::find("UTC"), .source_suffix = {}});
  Identified result;
  std::vector<char> buffer(16 * std::size_t{1024});
  std::int64_t at = 0;
  while (reader.state().source.empty()) {
    // A file that begins as something else is not searched to its end.
    const bool something_else = reader.state().header.empty() && !result.start.starts_with('\0');
    if (at >= kIdentifyBytesMax && something_else) break;
    const auto got = file.read_at(at, buffer);
    if (!got) return std::unexpected(got.error());
    if (at == 0) result.start.assign(buffer.data(), std::min(*got, kStartBytes));
    if (*got == 0) break;
    reader.push({buffer.data(), *got}, nobody);
    at += static_cast<std::int64_t>(*got);
  }
  result.has_header = !reader.state().header.empty();
  if (!reader.state().source.empty()) result.source = reader.state().source;
  return result;
}

bool may_be_log(const Identified& identified) {
  const std::string_view start = identified.start;
  return identified.has_header || !start.contains('\n') || start.starts_with('\0') ||
         parse_local_time(start.substr(0, start.find(',')));
}

std::string first_words(std::string_view bytes) {
  std::string words;
  for (const char c : bytes) {
    if (c == '\n' || words.size() >= kFirstWordsMax) break;
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) continue;
    words += static_cast<unsigned char>(c) < 0x80 ? c : '?';
  }
  return words;
}

Error not_a_log(std::string_view name, std::string_view start) {
  std::string found;
  if (start.empty()) {
    found = "it is empty";
  } else if (start.starts_with("\xFF\xFE") || start.starts_with("\xFE\xFF")) {
    found = "it is UTF-16 text, as an editor may have saved it; save it as UTF-8 and try again";
  } else if (const std::string words = first_words(start); words.empty()) {
    found = "it begins with bytes that are no text";
  } else {
    found = fmt::format("it begins with \"{}\"", words);
  }
  return {ErrorKind::input,
          fmt::format("{} is no GPU-Z log: {}. A GPU-Z log begins with \"Date , GPU Clock [MHz] , "
                      "...\": in GPU-Z, tick \"Log to file\" on the Sensors tab",
                      name, found)};
}

Expected<void> read_log_file(const ReadFile& file, LogReader& reader, LogReceiver& receiver,
                             const std::function<bool(std::int64_t)>& progress) {
  std::vector<char> buffer(kChunkBytes);
  std::array<char, 256> start{};
  std::size_t start_bytes = 0;
  std::int64_t at = reader.state().position;
  const bool from_start = at == 0;
  for (;;) {
    const auto got = file.read_at(at, buffer);
    if (!got) return std::unexpected(got.error());
    if (at == 0) {
      start_bytes = std::min(*got, start.size());
      std::copy_n(buffer.begin(), start_bytes, start.begin());
    }
    if (*got == 0) break;
    reader.push({buffer.data(), *got}, receiver);
    at += static_cast<std::int64_t>(*got);
    if (!progress(at)) return {};
  }
  reader.close(receiver);
  if (from_start && reader.state().header.empty()) {
    return std::unexpected(not_a_log(display(file.path()), {start.data(), start_bytes}));
  }
  return {};
}

}  // namespace gpulse
