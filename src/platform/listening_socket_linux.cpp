#include <sys/socket.h>

#include "platform/listening_socket.h"

namespace gpulse {

void prepare_to_listen(std::intptr_t socket) {
  const int on = 1;
  setsockopt(static_cast<int>(socket), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

}  // namespace gpulse
