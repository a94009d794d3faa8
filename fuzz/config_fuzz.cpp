// A gpulse.toml of any content: a configuration that can work, or one message that says what is
// wrong.
#include <cmath>
#include <cstdint>
#include <string_view>

#include "fuzz/check.h"
#include "stream/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gpulse;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = parse_config(text, "gpulse.toml");
  if (!config) {
    fuzz::check(config.error().kind == ErrorKind::usage, "a wrong file is a usage error");
    fuzz::check(config.error().message.find("gpulse.toml") != std::string::npos,
                "a message that does not name the file");
    return 0;
  }
  for (const auto& rule : config->rules) {
    fuzz::check(!rule.metric.empty(), "a rule without a metric");
    fuzz::check(std::isfinite(rule.limit) && std::isfinite(rule.release), "a limit that is none");
    fuzz::check(rule.hold >= std::chrono::seconds{0} && rule.hold <= std::chrono::hours{24},
                "a hold out of bounds");
    fuzz::check(
        !rule.beyond(rule.release) || rule.release == rule.limit || !rule.released(rule.limit),
        "a rule that fires and ends at once");
  }
  return 0;
}
