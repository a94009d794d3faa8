#include <windows.h>
// After windows.h, whose types it uses.
#include <shlobj.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cwctype>
#include <string>
#include <string_view>

#include "platform/file.h"
#include "platform/gpuz_places.h"
#include "platform/windows_api.h"

namespace gpulse {
namespace {

namespace fs = std::filesystem;
using Kind = GpuzPlace::Kind;

void add(std::vector<GpuzPlace>& places, GpuzPlace place) {
  place.path = absolute_path(place.path);
  if (std::ranges::find(places, place) == places.end()) places.push_back(std::move(place));
}

// Where the user has it: OneDrive and administrators move such folders.
void add_known(std::vector<GpuzPlace>& places, const KNOWNFOLDERID& id) {
  wchar_t* text = nullptr;
  if (SHGetKnownFolderPath(id, KF_FLAG_DONT_VERIFY, nullptr, &text) == S_OK) add(places, {text});
  CoTaskMemFree(text);
}

fs::path program_folder() {
  std::array<wchar_t, 32768> name{};
  const DWORD length = GetModuleFileNameW(nullptr, name.data(), static_cast<DWORD>(name.size()));
  return fs::path(name.data(), name.data() + length).parent_path();
}

// GPU-Z's key holds "Install_Dir" (a folder, or "no") and whatever else a version remembers.
void add_settings(std::vector<GpuzPlace>& places) {
  HKEY key = nullptr;
  if (RegOpenKeyExW(HKEY_CURRENT_USER, LR"(Software\techPowerUp\GPU-Z)", 0, KEY_QUERY_VALUE,
                    &key) != ERROR_SUCCESS) {
    return;
  }
  std::array<wchar_t, 16384> name{};
  std::array<wchar_t, 32768> text{};
  for (DWORD at = 0;; ++at) {
    auto name_length = static_cast<DWORD>(name.size());
    DWORD type = 0;
    // One less: a value need not end with a NUL.
    auto bytes = static_cast<DWORD>((text.size() - 1) * sizeof(wchar_t));
    const LSTATUS got = RegEnumValueW(key, at, name.data(), &name_length, nullptr, &type,
                                      reinterpret_cast<BYTE*>(text.data()), &bytes);
    if (got == ERROR_MORE_DATA) continue;
    if (got != ERROR_SUCCESS) break;
    if (type != REG_SZ && type != REG_EXPAND_SZ) continue;
    text[bytes / sizeof(wchar_t)] = L'\0';
    for (GpuzPlace& place : places_of_setting(text.data())) add(places, std::move(place));
  }
  RegCloseKey(key);
}

}  // namespace

bool gpuz_runs_here() { return true; }

std::vector<GpuzPlace> places_of_setting(const fs::path& text) {
  // To libstdc++ the name of a share is no absolute path.
  if (!text.is_absolute() && !text.native().starts_with(LR"(\\)")) return {};
  std::wstring extension = text.extension().native();
  std::ranges::transform(extension, extension.begin(), [](wchar_t c) {
    return c < 0x80 ? static_cast<wchar_t>(towlower(c)) : c;
  });
  if (extension == L".txt") return {{text, Kind::file}, {text.parent_path()}};
  return {{text}};
}

std::vector<GpuzPlace> gpuz_places() {
  std::vector<GpuzPlace> places;
  add_known(places, FOLDERID_Desktop);
  add_known(places, FOLDERID_Documents);
  add_known(places, FOLDERID_Downloads);
  if (const fs::path folder = program_folder(); !folder.empty()) add(places, {folder});
  add_settings(places);
  return places;
}

}  // namespace gpulse
