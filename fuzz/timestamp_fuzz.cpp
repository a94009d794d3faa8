// Instants as they come in requests. What is read must print and read back as the same instant.
#include <cstdint>
#include <string_view>

#include "fuzz/check.h"
#include "telemetry/timestamp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto time = gpulse::parse_timestamp(text)) {
    const auto again = gpulse::parse_timestamp(gpulse::to_rfc3339(*time));
    gpulse::fuzz::check(again == time, "an instant does not survive printing");
  }
  return 0;
}
