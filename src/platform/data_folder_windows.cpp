#include <windows.h>
// After windows.h, whose types it uses.
#include <shlobj.h>

#include "platform/data_folder.h"

namespace gpulse {

Expected<std::filesystem::path> default_data_folder() {
  wchar_t* text = nullptr;
  const HRESULT found = SHGetKnownFolderPath(FOLDERID_LocalAppData, 0, nullptr, &text);
  const std::filesystem::path folder = found == S_OK ? std::filesystem::path(text) : "";
  CoTaskMemFree(text);
  if (folder.empty()) {
    return usage_error("this user has no folder for program data; name one with --data DIR");
  }
  return folder / "gpulse";
}

}  // namespace gpulse
