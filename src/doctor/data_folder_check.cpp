#include "doctor/data_folder_check.h"

#include <fmt/format.h>

#include <optional>

#include "platform/file.h"
#include "platform/folder_state.h"

namespace gpulse::doctor {
namespace {

namespace fs = std::filesystem;

// A GPU at a row a second is 60 MB a day at most (docs/benchmarks.md): a night, and two weeks.
constexpr std::uint64_t kFreeFail = 100'000'000;
constexpr std::uint64_t kFreeWarn = 1'000'000'000;
constexpr int kFilesMax = 10'000;

// A folder that is missing is made in the nearest one that is there.
fs::path nearest_existing(fs::path folder) {
  std::error_code error;
  while (!fs::exists(folder, error) && folder.has_parent_path() && folder != folder.parent_path()) {
    folder = folder.parent_path();
  }
  return fs::exists(folder, error) ? folder : fs::path(".");
}

// The first file or folder below that this user cannot write to: mostly one of a single start as
// root.
std::optional<fs::path> unwritable_below(const fs::path& folder) {
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied,
                                         error);
  for (int seen = 0; !error && entry != fs::end(entry) && seen < kFilesMax; ++seen) {
    const auto access = path_access(entry->path());
    if (access && !access->writable) return entry->path();
    entry.increment(error);
  }
  return std::nullopt;
}

std::string take_back(const fs::path& path) {
  return fmt::format(
      "Start gpulse as that user, or give it to yours: sudo chown -R \"$USER\" \"{}\". Or name "
      "another folder with --data.",
      display(path));
}

Check judge_access(const std::string& name, const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) {
    const fs::path parent = nearest_existing(folder);
    const auto access = path_access(parent);
    if (access && access->writable && fs::is_directory(parent, error)) {
      return ok(name, display(folder) + " is not there yet; the first start makes it");
    }
    return fail(
        name,
        fmt::format("{} is not there, and cannot be made in {}", display(folder), display(parent)),
        "Make it, with the right to write for this user, or name another folder with --data.");
  }
  const auto access = path_access(folder);
  if (!access) return fail(name, access.error().message, "Name another folder with --data.");
  if (!fs::is_directory(folder, error)) {
    return fail(name, display(folder) + " is no folder", "Name a folder with --data.");
  }
  if (!access->writable) {
    return fail(name,
                fmt::format("{} belongs to {}, and this user cannot write there", display(folder),
                            access->owner),
                take_back(folder));
  }
  if (const auto file = unwritable_below(folder)) {
    const auto owner = path_access(*file);
    return fail(name,
                fmt::format("{} belongs to {}, and this user cannot write to it", display(*file),
                            owner ? owner->owner : "somebody else"),
                take_back(folder));
  }
  if (!access->ours) {
    return warn(
        name,
        fmt::format("{} belongs to {}; this user may write there", display(folder), access->owner),
        "Two users of one data folder leave files to each other that they cannot write: let one "
        "user run gpulse, or give each a folder of its own with --data.");
  }
  return ok(name, fmt::format("{}, of {}, can be written", display(folder), access->owner));
}

}  // namespace

Check judge_disk(std::uint64_t free_bytes) {
  std::string found = free_bytes >= 10'000'000'000
                          ? fmt::format("{} GB free", free_bytes / 1'000'000'000)
                          : fmt::format("{} MB free", free_bytes / 1'000'000);
  const std::string advice =
      "Make room, or let gpulse run keep less: --keep 90d, --keep-size 20GB. Nothing that was read "
      "is lost when the disk is full, but nothing more is stored.";
  if (free_bytes < kFreeFail) return fail("disk", std::move(found), advice);
  if (free_bytes < kFreeWarn) return warn("disk", std::move(found), advice);
  return ok("disk", std::move(found));
}

Checks check_data_folder(const fs::path& folder) {
  const std::string name = "data folder";
  Checks checks{judge_access(name, folder)};
  if (const auto process = lock_holder(folder / "gpulse.lock")) {
    checks.push_back(
        ok("data folder in use", fmt::format("by a running gpulse, process {}", *process)));
  }
  std::error_code error;
  const auto space = fs::space(nearest_existing(folder), error);
  if (error) {
    checks.push_back(fail("disk", fmt::format("cannot ask for its free space: {}", error.message()),
                          "See that the disk of the data folder is there."));
  } else {
    checks.push_back(judge_disk(space.available));
  }
  return checks;
}

}  // namespace gpulse::doctor
