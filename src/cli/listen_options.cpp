#include "cli/listen_options.h"

#include <CLI/CLI.hpp>

#include "cli/log_options.h"

namespace gpulse::cli {

void add_listen_options(CLI::App& app, ListenArguments& arguments, const std::string& what) {
  app.add_option("--listen", arguments.listen, "address to serve " + what + " at")
      ->type_name("ADDRESS")
      ->capture_default_str();
  app.add_option("--port", arguments.port, "port to serve it at; 0 takes any free one")
      ->type_name("PORT")
      ->capture_default_str();
  app.add_option("--token-file", arguments.token_file,
                 "file with the token that other machines must show; needed beyond loopback")
      ->type_name("FILE");
  app.add_option("--allow-host", arguments.allowed_hosts,
                 "a further name by which this machine is reached, as gpu.lan; repeatable")
      ->type_name("NAME")
      ->allow_extra_args(false);
}

ListenOptions listen_options(const ListenArguments& arguments) {
  return {arguments.listen, arguments.port, path_of(arguments.token_file), arguments.allowed_hosts};
}

}  // namespace gpulse::cli
