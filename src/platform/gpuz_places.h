// Where GPU-Z's log may lie when nobody has named it.
#pragma once

#include <filesystem>
#include <vector>

namespace gpulse {

struct GpuzPlace {
  enum class Kind {
    folder,
    users,  // the folder of a Windows that has its users' folders in it: "/mnt/c/Users"
    file,   // a log itself, under whatever name
  };
  std::filesystem::path path;  // absolute
  Kind kind = Kind::folder;

  friend bool operator==(const GpuzPlace&, const GpuzPlace&) = default;
};

// Whether GPU-Z is a program of this system, so that its log is looked for without being asked to.
[[nodiscard]] bool gpuz_runs_here();

// The user's desktop, documents and downloads, and the program's own folder. On Windows also what
// GPU-Z's settings name; on Linux Wine's users, and those of mounted Windows drives. None of them
// is looked at, and none need exist: a drive that is gone can hold up whoever looks. Each once.
// Reads the environment: not while another thread changes it.
[[nodiscard]] std::vector<GpuzPlace> gpuz_places();

// What a text of GPU-Z's settings names: a text file or a folder by its whole path, or nothing.
// Windows only.
[[nodiscard]] std::vector<GpuzPlace> places_of_setting(const std::filesystem::path& text);

// The same as gpuz_places() from values of HOME and WINEPREFIX (nullptr: not set) and the program's
// folder, and from a folder in place of /. Linux only.
[[nodiscard]] std::vector<GpuzPlace> gpuz_places_from(const char* home, const char* wine_prefix,
                                                      const std::filesystem::path& program_folder,
                                                      const std::filesystem::path& root);

}  // namespace gpulse
