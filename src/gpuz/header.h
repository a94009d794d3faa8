// The heading of a GPU-Z log: what its columns are called here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "telemetry/sample_batch.h"

namespace gpulse {

// True when the line's first cell is "Date": a heading, at the start of a log or in its middle.
// `line` is without its line end.
[[nodiscard]] bool is_header(std::string_view line);

// The columns that a heading names, without the date. Titles come in the code page of the PC that
// wrote them; names are made from their ASCII part, so that a degree sign in any form, or none, is
// the same column. Every name is unique: the second of one name gets "_2".
[[nodiscard]] Layout parse_header(std::string_view line);

// GPU-Z has some dozens. A line of more is no heading worth believing, whatever it begins with.
inline constexpr std::size_t kColumnsMax = 1000;

// The name and unit of one title, "GPU Clock [MHz]" -> {gpu_clock, MHz}, by the catalogue or, for a
// title that it does not hold, by the rules of docs/formats.md.
[[nodiscard]] ColumnName name_column(std::string_view title);

// The cells of a line between its commas. The empty cell behind a closing comma is none.
[[nodiscard]] std::vector<std::string_view> split_cells(std::string_view line);

// Without blanks and tabs at either end.
[[nodiscard]] std::string_view trim(std::string_view text);

}  // namespace gpulse
