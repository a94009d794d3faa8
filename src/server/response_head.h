// The text in front of a response's body, with the headers that every response has.
#pragma once

#include <cstddef>
#include <string>

#include "server/request.h"
#include "telemetry/timestamp.h"

namespace gpulse {

// Whether a response of that status has no body, nor a length of one.
[[nodiscard]] bool is_bodiless(int status);
// `length` is the body's, also where it is not sent (HEAD).
[[nodiscard]] std::string response_head(const Response& response, std::size_t length,
                                        bool keep_alive, Timestamp now);
// Of an event stream: it ends with its connection.
[[nodiscard]] std::string live_head(Timestamp now);

}  // namespace gpulse
