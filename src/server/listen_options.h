// Where a server waits for clients.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "telemetry/error.h"

namespace gpulse {

struct ListenOptions {
  // "localhost" (127.0.0.1, and ::1 where there is IPv6), or an address: "0.0.0.0", "192.168.1.5".
  std::string address = "localhost";
  std::uint16_t port = 0;  // 0: any free one
  // Needed for an address beyond this machine; read once. Empty: no token.
  std::filesystem::path token_file;
  // Further names by which it is reached, see AccessOptions; beyond this machine its own is among
  // them.
  std::vector<std::string> host_names;
  bool or_next = false;  // a port that is taken makes way for the next free one
};

// Pure but for reading the token file. Usage errors.
[[nodiscard]] Expected<void> validate(const ListenOptions& options);

}  // namespace gpulse
