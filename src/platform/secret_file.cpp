#include "platform/secret_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "platform/file.h"

namespace gpulse {
namespace {

// ASCII of UTF-16, of which `low` is where the lower byte of each unit is; none if there is more.
std::optional<std::string> ascii_of(std::string_view utf16, std::size_t low) {
  if (utf16.size() % 2 != 0) return std::nullopt;
  std::string text;
  for (std::size_t i = 0; i < utf16.size(); i += 2) {
    const char c = utf16[i + low];
    if (utf16[i + 1 - low] != '\0' || static_cast<unsigned char>(c) >= 0x80) return std::nullopt;
    text += c;
  }
  return text;
}

std::optional<std::string> without_byte_order_mark(std::string text) {
  constexpr std::string_view kUtf8 = "\xEF\xBB\xBF";
  constexpr std::string_view kUtf16Little = "\xFF\xFE";
  constexpr std::string_view kUtf16Big = "\xFE\xFF";
  if (text.starts_with(kUtf8)) return text.substr(kUtf8.size());
  const auto units = std::string_view(text).substr(std::min(text.size(), kUtf16Big.size()));
  if (text.starts_with(kUtf16Little)) return ascii_of(units, 0);
  if (text.starts_with(kUtf16Big)) return ascii_of(units, 1);
  return text;
}

}  // namespace

Expected<void> check_secret_file(const std::filesystem::path& file, std::string_view what) {
  std::error_code error;
  const bool is_file = std::filesystem::is_regular_file(file, error);
  if (error || !is_file) {
    return usage_error(fmt::format("the {} {} is no file that can be read", what, display(file)));
  }
  if (const auto others = other_readers(file)) {
    return usage_error(
        fmt::format("{} may read the {} {}: {}", others->who, what, display(file), others->cure));
  }
  return {};
}

Expected<std::string> read_secret_file(const std::filesystem::path& file, std::string_view what) {
  if (auto checked = check_secret_file(file, what); !checked) {
    return std::unexpected(std::move(checked).error());
  }
  const auto refused = [&](std::string_view why) {
    return usage_error(fmt::format("the {} {} {}", what, display(file), why));
  };
  std::ifstream stream(file, std::ios::binary);
  std::string bytes(kSecretBytesMax + 1, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (stream.bad() || !stream.is_open()) return refused("cannot be read");
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  if (bytes.size() > kSecretBytesMax) return refused("is too long for one");
  auto text = without_byte_order_mark(std::move(bytes));
  if (!text) return refused("is UTF-16: save it as UTF-8");
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  if (text->empty()) return refused("is empty");
  if (text->find_first_of("\r\n") != std::string::npos) return refused("must hold one line");
  return *std::move(text);
}

}  // namespace gpulse
