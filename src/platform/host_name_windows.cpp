#include <array>

#include "platform/host_name.h"
#include "platform/windows_api.h"

namespace gpulse {

std::string host_name() {
  std::array<wchar_t, 256> name{};
  auto length = static_cast<DWORD>(name.size());
  if (GetComputerNameExW(ComputerNameDnsHostname, name.data(), &length) == 0 || length == 0) {
    return "localhost";
  }
  return windows::utf8({name.data(), length});
}

}  // namespace gpulse
