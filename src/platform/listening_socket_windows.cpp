#include <winsock2.h>

#include "platform/listening_socket.h"

namespace gpulse {

void prepare_to_listen(std::intptr_t socket) {
  const BOOL on = TRUE;
  setsockopt(static_cast<SOCKET>(socket), SOL_SOCKET, SO_EXCLUSIVEADDRUSE,
             reinterpret_cast<const char*>(&on), sizeof on);
}

}  // namespace gpulse
