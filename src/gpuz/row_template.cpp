#include "gpuz/row_template.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "gpuz/cell.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gpulse {
namespace {

constexpr std::size_t kWindow = 16;
constexpr std::size_t kDateCell = 20;  // "2023-06-16 10:17:08 " before its comma
constexpr std::size_t kPrefix = 16;    // "2023-06-16 10:17"
constexpr std::size_t kDigitsMax = 8;
constexpr std::size_t kTailMax = 5;    // blanks between a reading and its comma; GPU-Z has 3
constexpr std::int64_t kNoTime = std::numeric_limits<std::int64_t>::min();

bool is_digit(char c) { return c >= '0' && c <= '9'; }
std::uint16_t bit(std::size_t i) { return static_cast<std::uint16_t>(1U << i); }

// The wall clock of rows of one minute differs in two digits.
class MinuteClock {
 public:
  // The wall clock of the date cell at `row`, kNoTime when it is none: before every time there is.
  [[nodiscard]] std::int64_t read(const char* row) {
    if (std::memcmp(row, prefix_.data(), kPrefix) != 0 && !renew(row)) return kNoTime;
    if (row[16] != ':' || !is_digit(row[17]) || !is_digit(row[18]) || row[19] != ' ' ||
        row[20] != ',' || row[17] > '5') {
      return kNoTime;
    }
    return minute_ + std::int64_t{row[17] - '0'} * 10 + (row[18] - '0');
  }

 private:
  bool renew(const char* row) {
    std::array<char, 19> text{};
    std::memcpy(text.data(), row, kPrefix);
    std::memcpy(text.data() + kPrefix, ":00", 3);
    if (text[0] == ' ') return false;
    const auto local = parse_local_time(std::string_view(text.data(), text.size()));
    if (!local) return false;
    minute_ = *local;
    std::memcpy(prefix_.data(), row, kPrefix);
    return true;
  }

  std::array<char, kPrefix> prefix_{};
  std::int64_t minute_ = 0;
};

// Non-zero when the window does not fit the cell. `digit` and `same`: which bytes are digits, which
// are as in the pattern.
inline unsigned misfit(const RowTemplate::Cell& cell, unsigned digit, unsigned same) {
  return (~(digit | same) & cell.care) | (digit & cell.no_digits) | (~digit & cell.digits) |
         (digit & ~(digit >> 1) & cell.run);
}

bool cell_portable(const RowTemplate::Cell& cell, const char* row, std::int32_t& count) {
  const char* window = row + cell.window;
  unsigned digit = 0;
  unsigned same = 0;
  for (std::size_t i = 0; i < kWindow; ++i) {
    digit |= static_cast<unsigned>(is_digit(window[i])) << i;
    same |= static_cast<unsigned>(window[i] == cell.pattern[i]) << i;
  }
  if (misfit(cell, digit, same) != 0) return false;
  count = 0;
  for (std::size_t i = 0; i < kDigitsMax; ++i) {
    const std::size_t from = cell.pick[i];
    const bool here = from < kWindow && (digit >> from & 1U) != 0;
    count = count * 10 + (here ? window[from] - '0' : 0);
  }
  return true;
}

}  // namespace

bool RowTemplate::add_cell(std::string_view row, std::size_t begin, std::size_t comma) {
  if (comma < kWindow) return false;
  Cell cell;
  cell.window = static_cast<std::uint32_t>(comma + 1 - kWindow);
  std::memcpy(cell.pattern.data(), row.data() + cell.window, kWindow);
  cell.pick.fill(0x80);
  const std::size_t first_care = begin > cell.window ? begin - cell.window : 0;
  for (std::size_t i = first_care; i < kWindow; ++i) cell.care |= bit(i);

  std::size_t last = kWindow - 2;  // the reading's last byte
  while (last > first_care && cell.pattern[last] == ' ') --last;
  if (last <= first_care || last + kTailMax < kWindow - 2) return false;
  if (cell.pattern[last] == '-') {
    for (std::size_t i = first_care; i < last; ++i) {
      if (cell.pattern[i] != ' ') return false;
    }
    cell.absent = true;
    cell.no_digits = cell.care;
    cells_.push_back(cell);
    add_blanks(begin, cell.window);
    return true;
  }

  std::size_t fraction = last;  // where digits begin when read backwards from the last
  while (fraction > first_care && is_digit(cell.pattern[fraction])) --fraction;
  std::size_t units = last;  // the digit before the point, or the last
  if (cell.pattern[fraction] == '.') {
    if (fraction == first_care || fraction == last) return false;
    cell.decimals = static_cast<std::uint8_t>(last - fraction);
    units = fraction - 1;
  }
  if (!is_digit(cell.pattern[units])) return false;
  std::size_t digits = 0;
  for (std::size_t i = last + 1; i-- > first_care;) {
    if (cell.decimals > 0 && i == units + 1) continue;  // the point
    if (digits < kDigitsMax) {
      cell.pick[kDigitsMax - 1 - digits++] = static_cast<std::uint8_t>(i);
    } else {
      cell.no_digits |= bit(i);
    }
    if (i >= units) cell.digits |= bit(i);
    if (i < units) cell.run |= bit(i);
    if (i < units) {
      if (!is_digit(cell.pattern[i]) && cell.pattern[i] != ' ') return false;
      cell.pattern[i] = ' ';
    }
  }
  if (cell.decimals >= kDigitsMax) return false;
  for (std::size_t i = last + 1; i < kWindow; ++i) cell.no_digits |= bit(i);
  if (cell.decimals > 0) cell.no_digits |= bit(units + 1);
  cells_.push_back(cell);
  add_blanks(begin, cell.window);
  return true;
}

void RowTemplate::add_blanks(std::size_t begin, std::size_t window) {
  // The loads may reach into the window, never past the row: a window is 16 bytes long itself.
  for (std::size_t at = begin; at < window; at += kWindow) {
    Blank blank{static_cast<std::uint32_t>(at), 0};
    for (std::size_t i = 0; i < std::min(kWindow, window - at); ++i) blank.mask |= bit(i);
    blanks_.push_back(blank);
  }
}

std::optional<RowTemplate> RowTemplate::learn(std::string_view row, std::size_t columns) {
  if (!row.ends_with('\n') || row.size() <= kDateCell + kWindow) return std::nullopt;
  RowTemplate result;
  result.stride_ = row.size();
  result.line_end_bytes_ = row.ends_with("\r\n") ? 2 : 1;
  std::memcpy(result.line_end_.data(), row.data() + row.size() - result.line_end_bytes_,
              result.line_end_bytes_);
  const std::int64_t time = MinuteClock().read(row.data());
  if (time == kNoTime) return std::nullopt;
  std::size_t begin = kDateCell + 1;
  for (std::size_t column = 0; column < columns; ++column) {
    const std::size_t comma = row.find(',', begin);
    if (comma == std::string_view::npos || !result.add_cell(row, begin, comma)) {
      return std::nullopt;
    }
    begin = comma + 1;
  }
  if (begin + result.line_end_bytes_ != row.size()) return std::nullopt;
  // The template must take the row that it was learned from.
  std::vector<std::int32_t> values(columns);
  std::vector<std::int32_t*> counts;
  counts.reserve(columns);
  for (std::int32_t& value : values) counts.push_back(&value);
  std::int64_t local = 0;
  const Bounds its_own{time, time + 1, 0, 1};
  if (result.read_rows_portable(row, its_own, &local, counts) != 1) return std::nullopt;
  return result;
}

inline bool RowTemplate::frame_fits(const char* text, std::int64_t local,
                                    const Bounds& bounds) const {
  return local >= bounds.local_last && local - bounds.local_last <= bounds.step_max &&
         local < bounds.local_until &&
         std::memcmp(text + stride_ - line_end_bytes_, line_end_.data(), line_end_bytes_) == 0;
}

std::size_t RowTemplate::read_rows_portable(std::string_view bytes, Bounds bounds,
                                            std::int64_t* locals,
                                            std::span<std::int32_t* const> counts) const {
  MinuteClock clock;
  std::size_t row = 0;
  for (; row < bounds.rows_max && (row + 1) * stride_ <= bytes.size(); ++row) {
    const char* text = bytes.data() + row * stride_;
    const std::int64_t local = clock.read(text);
    if (!frame_fits(text, local, bounds)) return row;
    for (const Blank& blank : blanks_) {
      for (std::size_t i = 0; i < kWindow; ++i) {
        if ((blank.mask >> i & 1U) != 0 && text[blank.begin + i] != ' ') return row;
      }
    }
    for (std::size_t column = 0; column < cells_.size(); ++column) {
      if (!cell_portable(cells_[column], text, counts[column][row])) return row;
    }
    locals[row] = local;
    bounds.local_last = local;
  }
  return row;
}

#if defined(__x86_64__)

namespace {

struct Window {
  __m128i digits;  // 0..9 where a digit stands, 0 elsewhere
  unsigned wrong;
};

__attribute__((target("sse4.1"))) inline Window load_window(const RowTemplate::Cell& cell,
                                                            const char* row) {
  const __m128i text = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + cell.window));
  const __m128i pattern = _mm_load_si128(reinterpret_cast<const __m128i*>(cell.pattern.data()));
  const __m128i value = _mm_sub_epi8(text, _mm_set1_epi8('0'));
  const __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value);
  const auto digit = static_cast<unsigned>(_mm_movemask_epi8(is_digit));
  const auto same = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(text, pattern)));
  const __m128i pick = _mm_load_si128(reinterpret_cast<const __m128i*>(cell.pick.data()));
  return {_mm_shuffle_epi8(_mm_and_si128(value, is_digit), pick), misfit(cell, digit, same)};
}

// Two times eight digits, most significant first, to two numbers: in pairs, fours, eights.
__attribute__((target("sse4.1"))) inline __m128i two_numbers(__m128i first, __m128i second) {
  const __m128i digits = _mm_unpacklo_epi64(first, second);
  const __m128i pairs = _mm_maddubs_epi16(digits, _mm_set1_epi16(0x010A));
  const __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00010064));
  return _mm_madd_epi16(_mm_packus_epi32(fours, fours), _mm_set1_epi32(0x00012710));
}

__attribute__((target("sse4.1"))) bool row_sse41(std::span<const RowTemplate::Cell> cells,
                                                 std::span<const RowTemplate::Blank> blanks,
                                                 const char* text, std::size_t row,
                                                 std::span<std::int32_t* const> counts) {
  unsigned wrong = 0;
  for (const RowTemplate::Blank& blank : blanks) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + blank.begin));
    const auto blank_here =
        static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' '))));
    wrong |= ~blank_here & blank.mask;
  }
  std::size_t column = 0;
  for (; column + 1 < cells.size(); column += 2) {
    const Window first = load_window(cells[column], text);
    const Window second = load_window(cells[column + 1], text);
    wrong |= first.wrong | second.wrong;
    const __m128i numbers = two_numbers(first.digits, second.digits);
    counts[column][row] = _mm_cvtsi128_si32(numbers);
    counts[column + 1][row] = _mm_extract_epi32(numbers, 1);
  }
  if (column < cells.size()) {
    const Window last = load_window(cells[column], text);
    wrong |= last.wrong;
    counts[column][row] = _mm_cvtsi128_si32(two_numbers(last.digits, last.digits));
  }
  return wrong == 0;
}

}  // namespace

std::size_t RowTemplate::read_rows(std::string_view bytes, Bounds bounds, std::int64_t* locals,
                                   std::span<std::int32_t* const> counts) const {
  static const bool has_sse41 = __builtin_cpu_supports("sse4.1") != 0;
  if (!has_sse41) return read_rows_portable(bytes, bounds, locals, counts);
  MinuteClock clock;
  std::size_t row = 0;
  for (; row < bounds.rows_max && (row + 1) * stride_ <= bytes.size(); ++row) {
    const char* text = bytes.data() + row * stride_;
    const std::int64_t local = clock.read(text);
    if (!frame_fits(text, local, bounds) || !row_sse41(cells_, blanks_, text, row, counts)) {
      return row;
    }
    locals[row] = local;
    bounds.local_last = local;
  }
  return row;
}

#else

std::size_t RowTemplate::read_rows(std::string_view bytes, Bounds bounds, std::int64_t* locals,
                                   std::span<std::int32_t* const> counts) const {
  return read_rows_portable(bytes, bounds, locals, counts);
}

#endif

}  // namespace gpulse
