#include <windows.h>
// After windows.h, whose types they use.
#include <objbase.h>
#include <shellapi.h>

#include "platform/browser.h"
#include "platform/windows_api.h"

namespace gpulse {

bool can_show_pages() {
  DWORD mode = 0;
  return GetConsoleMode(GetStdHandle(STD_OUTPUT_HANDLE), &mode) != 0;
}

Expected<void> open_in_browser(const std::string& url, const std::stop_token& /*stop*/) {
  // Some browsers are started by way of COM.
  const HRESULT entered =
      CoInitializeEx(nullptr, COINIT_APARTMENTTHREADED | COINIT_DISABLE_OLE1DDE);
  const std::wstring page = windows::wide(url);
  SHELLEXECUTEINFOW asked{};
  asked.cbSize = sizeof asked;
  // Not before it is done: this thread has no messages to wait for, and the program may end at
  // once.
  asked.fMask = SEE_MASK_NOASYNC | SEE_MASK_FLAG_NO_UI;
  asked.lpVerb = L"open";
  asked.lpFile = page.c_str();
  asked.nShow = SW_SHOWNORMAL;
  const bool shown = ShellExecuteExW(&asked) != 0;
  const DWORD code = GetLastError();
  if (SUCCEEDED(entered)) CoUninitialize();
  if (shown) return {};
  return operation_error(windows::message_of(code));
}

}  // namespace gpulse
