// A window's statistics as the few bytes that the ledger keeps of them. Fuzzed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "stream/window.h"

namespace gpulse {

// Appends them, a column after the other.
void encode_window(const Window& window, std::string& out);
// Reads them back into `out`; false when the bytes are not those of that many columns.
[[nodiscard]] bool decode_window(std::string_view bytes, std::size_t columns,
                                 std::vector<WindowStatistics>& out);

}  // namespace gpulse
