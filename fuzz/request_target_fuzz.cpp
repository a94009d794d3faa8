// The target of an HTTP request, as any client may send it.
#include <cstdint>
#include <string_view>

#include "fuzz/check.h"
#include "server/request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpulse;
  const std::string_view target(reinterpret_cast<const char*>(data), size);
  Request request;
  if (!parse_target(target, request)) return 0;
  fuzz::check(request.path.starts_with('/'), "a path begins with a slash");
  fuzz::check(request.path.find('\0') == std::string::npos, "a NUL got through");
  for (const auto& [name, value] : request.parameters) {
    const auto* first = request.parameter(name);
    fuzz::check(first != nullptr, "a parameter that is there is found");
    fuzz::check(value.find('\0') == std::string::npos, "a NUL got through");
  }
  return 0;
}
