// The options of every command that serves HTTP: where, and to whom.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/listen_options.h"

namespace CLI {
class App;
}

namespace gpulse::cli {

// As it stands on the command line.
struct ListenArguments {
  std::string listen = "localhost";
  std::uint16_t port = 0;
  std::string token_file;
  std::vector<std::string> allowed_hosts;
};

// `what` is served there, for the help. The default port is what `arguments` has. They must outlive
// the parse.
void add_listen_options(CLI::App& app, ListenArguments& arguments, const std::string& what);

[[nodiscard]] ListenOptions listen_options(const ListenArguments& arguments);

}  // namespace gpulse::cli
