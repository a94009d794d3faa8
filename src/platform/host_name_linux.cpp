#include <unistd.h>

#include <array>

#include "platform/host_name.h"

namespace gpulse {

std::string host_name() {
  constexpr std::size_t kHostNameBytesMax = 64;  // of Linux; other systems may have up to 255
  std::array<char, 4 * kHostNameBytesMax> name{};
  // One byte less: a name that was cut need not end in a zero.
  if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

}  // namespace gpulse
