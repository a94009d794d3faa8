// What a program does first of all.
#pragma once

#include <string>
#include <vector>

namespace gpulse {

// The arguments behind the program's name, as UTF-8, whatever code page the system has. The
// standard streams from now on take and give bytes as they are: what is piped is the same on every
// system. A Windows console takes UTF-8 until the program ends. In main, before anything else.
[[nodiscard]] std::vector<std::string> start_program(int argc, char** argv);

}  // namespace gpulse
