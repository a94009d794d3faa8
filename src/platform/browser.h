// Showing a page to the person who started the program.
#pragma once

#include <stop_token>
#include <string>

#include "telemetry/error.h"

namespace gpulse {

// Whether a person sits there who can be shown a page: standard output is a terminal, and on Linux
// of this machine and with a display. Reads the environment: not while another thread changes it.
[[nodiscard]] bool can_show_pages();

// Has the user's browser show `url`. Where the system tells only later whether that went well,
// waits some seconds for it, or until the stop; the browser stays either way. An operation error
// says why there is none. Any thread.
[[nodiscard]] Expected<void> open_in_browser(const std::string& url, const std::stop_token& stop);

}  // namespace gpulse
