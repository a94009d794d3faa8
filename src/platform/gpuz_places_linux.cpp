#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include "platform/gpuz_places.h"

namespace gpulse {
namespace {

namespace fs = std::filesystem;
using Kind = GpuzPlace::Kind;

void add(std::vector<GpuzPlace>& places, GpuzPlace place) {
  place.path = place.path.lexically_normal();
  if (std::ranges::find(places, place) == places.end()) places.push_back(std::move(place));
}

// What ~/.config/user-dirs.dirs calls a folder: XDG_DESKTOP_DIR="$HOME/Schreibtisch".
fs::path user_folder(const fs::path& home, std::string_view kind, std::string_view otherwise) {
  const std::string begin = "XDG_" + std::string(kind) + "_DIR=\"";
  constexpr std::string_view kHome = "$HOME/";
  std::ifstream settings(home / ".config" / "user-dirs.dirs");
  for (std::string line; std::getline(settings, line);) {
    if (!line.starts_with(begin) || !line.ends_with('"')) continue;
    const std::string value = line.substr(begin.size(), line.size() - begin.size() - 1);
    if (value.starts_with(kHome)) return home / value.substr(kHome.size());
    if (value.starts_with('/')) return value;
  }
  return home / otherwise;
}

// The names in a folder without a look at what they are.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    entries.push_back(entry->path());
  }
  std::ranges::sort(entries);
  return entries;
}

}  // namespace

bool gpuz_runs_here() { return false; }

std::vector<GpuzPlace> gpuz_places_from(const char* home, const char* wine_prefix,
                                        const fs::path& program_folder, const fs::path& root) {
  std::vector<GpuzPlace> places;
  const bool at_home = home != nullptr && fs::path(home).is_absolute();
  if (at_home) {
    add(places, {user_folder(home, "DESKTOP", "Desktop")});
    add(places, {user_folder(home, "DOCUMENTS", "Documents")});
    add(places, {user_folder(home, "DOWNLOAD", "Downloads")});
  }
  if (!program_folder.empty()) add(places, {program_folder});
  if (wine_prefix != nullptr && fs::path(wine_prefix).is_absolute()) {
    add(places, {fs::path(wine_prefix) / "drive_c" / "users", Kind::users});
  } else if (at_home) {
    add(places, {fs::path(home) / ".wine" / "drive_c" / "users", Kind::users});
  }
  // "/mnt/c" of WSL among them; desktops mount at "/media/NAME/DRIVE" or "/run/media/NAME/DRIVE".
  for (const fs::path& drive : entries_of(root / "mnt"))
    add(places, {drive / "Users", Kind::users});
  for (const fs::path& media : {root / "media", root / "run" / "media"}) {
    for (const fs::path& user : entries_of(media)) {
      for (const fs::path& drive : entries_of(user)) {
        add(places, {drive / "Users", Kind::users});
      }
    }
  }
  return places;
}

std::vector<GpuzPlace> gpuz_places() {
  std::error_code unknown;
  const fs::path program = fs::read_symlink("/proc/self/exe", unknown);
  return gpuz_places_from(std::getenv("HOME"), std::getenv("WINEPREFIX"), program.parent_path(),
                          "/");
}

}  // namespace gpulse
