#include "platform/program_start.h"

namespace gpulse {

std::vector<std::string> start_program(int argc, char** argv) {
  if (argc < 1) return {};
  return {argv + 1, argv + argc};
}

}  // namespace gpulse
