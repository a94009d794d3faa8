// The compact binary form in which this module keeps its state beside a position: little-endian
// base-128 integers, signed ones zigzag-folded, and IEEE doubles. Not for files that others read.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace gpulse {

// Wide enough for any sum of counts; the standard has no such type.
// NOLINTBEGIN(modernize-use-using): __extension__ goes with a typedef only
__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;
// NOLINTEND(modernize-use-using)

class StateWriter {
 public:
  void byte(std::uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  void unsigned_number(UInt128 value) {
    for (; value >= 0x80; value >>= 7) byte(static_cast<std::uint8_t>(value | 0x80));
    byte(static_cast<std::uint8_t>(value));
  }
  void number(Int128 value) {
    unsigned_number((static_cast<UInt128>(value) << 1) ^ static_cast<UInt128>(value >> 127));
  }
  void real(double value) {
    auto bits = std::bit_cast<std::uint64_t>(value);
    for (int i = 0; i < 8; ++i, bits >>= 8) byte(static_cast<std::uint8_t>(bits));
  }
  void text(std::string_view value) {
    unsigned_number(value.size());
    bytes_ += value;
  }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what the writer wrote. Whatever does not fit (an end too early, a number out of the asked
// bounds) makes it bad for good and yields zeros from then on, so that a caller checks once.
class StateReader {
 public:
  explicit StateReader(std::string_view bytes) : rest_(bytes) {}

  // Everything was read and all of it fitted.
  [[nodiscard]] bool done() const { return good_ && rest_.empty(); }
  [[nodiscard]] bool good() const { return good_; }
  void require(bool condition) { good_ = good_ && condition; }

  std::uint8_t byte() {
    if (!good_ || rest_.empty()) return fail();
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  Int128 wide() {
    const UInt128 folded = wide_unsigned();
    return static_cast<Int128>(folded >> 1) ^ -static_cast<Int128>(folded & 1);
  }
  std::int64_t number(std::int64_t min, std::int64_t max) { return bounded(wide(), min, max); }
  std::int64_t unsigned_number(std::int64_t max) {
    const UInt128 value = wide_unsigned();
    if (value > static_cast<UInt128>(max)) return fail();
    return static_cast<std::int64_t>(value);
  }
  double real() {
    std::uint64_t bits = 0;
    for (int shift = 0; shift < 64; shift += 8) bits |= std::uint64_t{byte()} << shift;
    return good_ ? std::bit_cast<double>(bits) : 0.0;
  }
  std::string_view text() {
    const auto size =
        static_cast<std::size_t>(unsigned_number(static_cast<std::int64_t>(rest_.size())));
    if (size > rest_.size()) return fail(), std::string_view{};
    const auto value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
  }

 private:
  std::uint8_t fail() {
    good_ = false;
    return 0;
  }
  std::int64_t bounded(Int128 value, std::int64_t min, std::int64_t max) {
    if (value < min || value > max) return fail();
    return static_cast<std::int64_t>(value);
  }
  UInt128 wide_unsigned() {
    UInt128 value = 0;
    for (int shift = 0; shift < 128; shift += 7) {
      const std::uint8_t part = byte();
      value |= static_cast<UInt128>(part & 0x7f) << shift;
      if (part < 0x80) return value;
    }
    return fail();
  }

  std::string_view rest_;
  bool good_ = true;
};

}  // namespace gpulse
