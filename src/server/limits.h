// Beyond these a client is refused, cut off, or waits.
#pragma once

#include <chrono>
#include <cstddef>

namespace gpulse {

inline constexpr std::size_t kHeaderBytesMax = 16 * std::size_t{1024};
inline constexpr std::size_t kIgnoredBodyBytesMax = 64 * std::size_t{1024};
inline constexpr std::size_t kConnectionsMax = 256;
inline constexpr std::size_t kLiveClientsMax = 64;
inline constexpr std::chrono::seconds kRequestTimeout{30};  // idle, and until its header is whole
inline constexpr std::chrono::seconds kTransferTimeout{30};  // for each piece of a body
inline constexpr std::chrono::seconds kLiveKeepAlive{15};
inline constexpr std::chrono::milliseconds kLiveInterval{25};  // least time between two pushes
inline constexpr std::chrono::seconds kStopGrace{2};  // for what is being answered

}  // namespace gpulse
