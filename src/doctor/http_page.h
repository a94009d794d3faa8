// What one of our own commands answers when it is asked.
#pragma once

#include <string>

#include "telemetry/error.h"

namespace gpulse::doctor {

struct HttpPage {
  unsigned status = 0;
  std::string body;
};

// GET of `target` at "host:port", with the token if there is one. An operation error when there is
// no answer within some seconds. Any thread.
[[nodiscard]] Expected<HttpPage> get_page(const std::string& address, const std::string& target,
                                          const std::string& token = {});

}  // namespace gpulse::doctor
