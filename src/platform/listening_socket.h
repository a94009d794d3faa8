// What a socket is told before it listens.
#pragma once

#include <cstdint>

namespace gpulse {

// Before the socket is bound to a port, by its system's handle: on Linux that a restart need not
// wait until old connections are forgotten; on Windows that no other program can have the port
// beside us, which it could, by another address or by asking for it. Where that cannot be had, the
// socket listens all the same. Any thread.
void prepare_to_listen(std::intptr_t socket);

}  // namespace gpulse
