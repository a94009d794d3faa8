// Readings have few decimals: as counts of their last decimal they add up exactly, whatever the
// order. Of use inside query/ only.
#pragma once

namespace gpulse {

// 10^decimals. With more than nine decimals (then a column is kept in doubles) sums are as exact as
// doubles are.
[[nodiscard]] constexpr double fixed_point_scale(int decimals) {
  double scale = 1;
  for (int digit = 0; digit < decimals && digit < 9; ++digit) scale *= 10;
  return scale;
}

// The nearest whole number, for |value| < 2^51: std::rint without the call that x86-64 needs for
// it.
[[nodiscard]] inline double round_to_count(double value) {
  constexpr double kMagic = 6755399441055744.0;  // 1.5 * 2^52
  return (value + kMagic) - kMagic;
}

}  // namespace gpulse
