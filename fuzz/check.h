// A property that must hold for every input; the fuzzer keeps the input that broke it.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace gpulse::fuzz {

inline void check(bool holds, const char* claim) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: %s\n", claim);
  std::abort();
}

}  // namespace gpulse::fuzz
