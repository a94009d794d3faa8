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
  const HINSTANCE shown =
      ShellExecuteW(nullptr, L"open", windows::wide(url).c_str(), nullptr, nullptr, SW_SHOWNORMAL);
  const DWORD code = GetLastError();
  if (SUCCEEDED(entered)) CoUninitialize();
  constexpr INT_PTR kFailedMax = 32;
  if (reinterpret_cast<INT_PTR>(shown) > kFailedMax) return {};
  return operation_error(windows::message_of(code));
}

}  // namespace gpulse
