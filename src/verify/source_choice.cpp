#include "verify/source_choice.h"

#include <algorithm>
#include <charconv>

namespace gpulse {
namespace {

// 1 without "~n".
int generation_of(std::string_view source) {
  const std::size_t tilde = source.find('~');
  int generation = 1;
  if (tilde != std::string_view::npos) {
    std::from_chars(source.data() + tilde + 1, source.data() + source.size(), generation);
  }
  return generation;
}

}  // namespace

std::string_view stem_of(std::string_view source) {
  return source.substr(0, source.find_first_of("~@"));
}

bool is_replay(std::string_view source) { return source.contains('@'); }

SourceChoice choose_sources(std::string_view stem, std::span<const std::string> present) {
  SourceChoice choice;
  for (const std::string& source : present) {
    if (stem_of(source) != stem) continue;
    (is_replay(source) ? choice.replays : choice.earlier).push_back(source);
  }
  std::ranges::sort(choice.replays);
  const auto newest = std::ranges::max_element(choice.earlier, {}, generation_of);
  if (newest != choice.earlier.end()) {
    choice.own = std::move(*newest);
    choice.earlier.erase(newest);
  }
  return choice;
}

}  // namespace gpulse
