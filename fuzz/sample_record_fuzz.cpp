// Records of the topic as anybody may write them. What is read must hold what the reader promises,
// and be the same when read again behind other records.
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/check.h"
#include "kafka/sample_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static gpulse::SampleJsonReader reader;  // kept, as the sink keeps its own
  gpulse::SampleJsonReader fresh;
  const auto kept = reader.read(text);
  const auto record = fresh.read(text);
  gpulse::fuzz::check(kept.has_value() == record.has_value(), "what was read before matters");
  if (!record) {
    gpulse::fuzz::check(!record.error().message.empty(), "a record is refused without a reason");
    return 0;
  }
  const gpulse::SampleRecord& read = **record;
  gpulse::fuzz::check(!read.host.empty() && !read.gpu.empty() && !read.source.empty() &&
                          read.session >= 0 && read.offset >= 0,
                      "a record without an identity is taken");
  gpulse::fuzz::check(
      read.offset == (*kept)->offset && read.readings.size() == (*kept)->readings.size(),
      "the same record is read in two ways");
  for (const auto& reading : read.readings) {
    gpulse::fuzz::check(
        !reading.value || (std::isfinite(*reading.value) && !reading.text.empty() &&
                           reading.text.find_first_of(" \t\r\n,}") == std::string_view::npos),
        "a reading is no number");
  }
  return 0;
}
