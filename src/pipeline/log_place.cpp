#include "pipeline/log_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "gpuz/log_file.h"

namespace gpulse {
namespace {

// So much of a file without a heading is searched for rows of the heading that it had before.
constexpr std::size_t kHeadlessBytes = std::size_t{64} << 10;

// So many files of a folder are looked at for one that was renamed.
constexpr int kBesideMax = 1000;

std::string suffix_of(int generation) {
  return generation == 1 ? std::string() : fmt::format("~{}", generation);
}

// The identity without its generation.
std::string stem_of(const std::string& source) { return source.substr(0, source.find('~')); }

struct RowSpotter final : LogReceiver {
  void on_rows(const SampleBatch& /*batch*/) override { seen = true; }
  void on_set_aside(const SetAside& /*line*/) override {}
  bool seen = false;
};

// What was last read from a file of that name; replays of it are not it.
Expected<std::optional<LedgerSource>> last_of_file(const Store& store, const std::string& name) {
  const auto sources = store.sources();
  if (!sources) return std::unexpected(sources.error());
  std::optional<LedgerSource> last;
  for (const SourceRecord& record : *sources) {
    if (record.file != name || record.source.contains('@')) continue;
    auto known = store.find_source(record.source);
    if (!known) continue;
    if (!last ||
        std::pair(known->last_arrival, known->id) > std::pair(last->last_arrival, last->id)) {
      last = std::move(known);
    }
  }
  return last;
}

// Whether the bytes before its position are what was read there; or, `or_nuls`, nothing, since the
// file was emptied while its writer went on at its old place.
Expected<bool> continues(const ReadFile& file, std::int64_t size, const LedgerSource& known,
                         bool or_nuls) {
  const std::int64_t position = known.checkpoint.reader.position;
  if (position > size) return false;
  const auto hash = hash_before(file, position);
  if (!hash) return std::unexpected(hash.error());
  if (*hash == known.checkpoint.tail_hash || !or_nuls) return *hash == known.checkpoint.tail_hash;
  std::vector<char> tail(static_cast<std::size_t>(std::min(position, kTailHashBytes)));
  const auto got = file.read_at(position - static_cast<std::int64_t>(tail.size()), tail);
  if (!got) return std::unexpected(got.error());
  return std::ranges::all_of(tail, [](char c) { return c == '\0'; });
}

class PlaceFinder {
 public:
  PlaceFinder(Store& store, const LogTarget& target, const ReadFile& file, std::int64_t size)
      : store_(store), target_(target), file_(file), name_(target.name), size_(size) {}

  Expected<std::optional<LogPlace>> find() const {
    const auto identified = identify_log(file_);
    if (!identified) return std::unexpected(identified.error());
    // Its name is asked first: a file whose beginning is gone has no identity, or that of a heading
    // further on.
    const auto before = last_of_file(store_, name_);
    if (!before) return std::unexpected(before.error());
    if (*before && !rezones(**before)) {
      const auto same = continues(file_, size_, **before, identified->start.starts_with('\0'));
      if (!same) return std::unexpected(same.error());
      if (*same) return go_on(**before);
      if (!identified->has_header) return find_headless(**before, identified->start);
    }
    if (identified->source) return find_known(*identified->source);
    if (!identified->has_header && identified->start.contains('\n') &&
        !identified->start.starts_with('\0')) {
      return std::unexpected(not_a_log(name_, identified->start));
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] bool rezones(const LedgerSource& known) const {
    return target_.rezone && known.record.timezone != target_.zone->name();
  }

  [[nodiscard]] SourceTarget source_target(const Device& device) const {
    return {device, name_, target_.zone->name()};
  }

  [[nodiscard]] Expected<std::optional<LogPlace>> go_on(const LedgerSource& known) const {
    if (known.record.timezone != target_.zone->name()) {
      return usage_error(fmt::format(
          "{} was read in the zone {} before, now {} is asked for: give --timezone {}, or --rezone "
          "to read it all again",
          name_, known.record.timezone, target_.zone->name(), known.record.timezone));
    }
    if (target_.take_over && target_.take_over(known.record.source)) return find();
    auto writer = SourceWriter::resume(store_, source_target(known.record.device), known);
    if (!writer) return std::unexpected(writer.error());
    LogReader reader(
        {.device = known.record.device,
         .zone = target_.zone,
         .source_suffix = known.record.source.substr(stem_of(known.record.source).size())},
        known.checkpoint.reader);
    return LogPlace{std::move(reader), std::move(*writer), known.checkpoint.reader.position};
  }

  // The number of the first generation that is not known yet; its forerunner in `newest`.
  int next_generation(const std::string& stem, std::optional<LedgerSource>& newest) const {
    int generation = 1;
    while (auto known = store_.find_source(stem + suffix_of(generation))) {
      newest = std::move(known);
      ++generation;
    }
    return generation;
  }

  [[nodiscard]] Expected<std::optional<LogPlace>> find_known(const std::string& stem) const {
    std::optional<LedgerSource> newest;
    int generation = next_generation(stem, newest);
    if (newest && rezones(*newest)) {
      while (--generation >= 1) {
        auto removed = store_.remove_source(stem + suffix_of(generation));
        if (!removed) return std::unexpected(removed.error());
      }
      newest.reset();
      generation = 1;
    }
    if (newest) {
      const auto same = continues(file_, size_, *newest, false);
      if (!same) return std::unexpected(same.error());
      // Another zone is an error for a new generation, too: it would be half of one log.
      if (*same || newest->record.timezone != target_.zone->name()) return go_on(*newest);
    }
    LogReader reader(
        {.device = target_.device, .zone = target_.zone, .source_suffix = suffix_of(generation)});
    return LogPlace{std::move(reader),
                    std::make_unique<SourceWriter>(store_, source_target(target_.device)), 0};
  }

  // The file was emptied and its writer appended to it: rows of the heading that was there before.
  [[nodiscard]] Expected<std::optional<LogPlace>> find_headless(const LedgerSource& before,
                                                                const std::string& start) const {
    const std::string stem = stem_of(before.record.source);
    std::optional<LedgerSource> newest;
    const std::string suffix = suffix_of(next_generation(stem, newest));
    LogReaderState state;
    state.source = stem + suffix;
    state.header = before.checkpoint.reader.header;
    state.session_pending = true;
    const LogReaderOptions options{
        .device = before.record.device, .zone = target_.zone, .source_suffix = suffix};
    std::vector<char> bytes(kHeadlessBytes);
    const auto got = file_.read_at(0, bytes);
    if (!got) return std::unexpected(got.error());
    RowSpotter rows;
    LogReader(options, state).push({bytes.data(), *got}, rows);
    if (rows.seen) {
      return LogPlace{LogReader(options, state),
                      std::make_unique<SourceWriter>(store_, source_target(before.record.device)),
                      0};
    }
    if (start.contains('\n') && !start.starts_with('\0')) {
      return std::unexpected(not_a_log(name_, start));
    }
    return std::nullopt;
  }

  Store& store_;
  const LogTarget& target_;
  const ReadFile& file_;
  const std::string& name_;
  const std::int64_t size_;
};

}  // namespace

Expected<std::optional<LogPlace>> find_place(Store& store, const LogTarget& target,
                                             const ReadFile& file) {
  const auto size = file.size();
  if (!size) return std::unexpected(size.error());
  return PlaceFinder(store, target, file, *size).find();
}

std::optional<ReadFile> find_renamed(const Store& store, const std::filesystem::path& file) {
  const auto known = last_of_file(store, display(file));
  if (!known || !*known) return std::nullopt;
  const auto goes_on = [&](const ReadFile& candidate) {
    const auto size = candidate.size();
    return size && continues(candidate, *size, **known, false).value_or(false);
  };
  if (const auto named = ReadFile::open(file); named && goes_on(*named)) return std::nullopt;
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  std::error_code error;
  int looked_at = 0;
  for (std::filesystem::directory_iterator entry(folder, error), end;
       !error && entry != end && looked_at < kBesideMax; entry.increment(error), ++looked_at) {
    std::error_code ignored;
    if (!entry->is_regular_file(ignored) || is_online_only(entry->path())) continue;
    auto beside = ReadFile::open(entry->path());
    if (beside && goes_on(*beside)) return std::move(*beside);
  }
  return std::nullopt;
}

}  // namespace gpulse
