#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <system_error>

#include "platform/browser.h"

namespace gpulse {
namespace {

using namespace std::chrono_literals;

// xdg-open ends at once, or lives as long as the browser.
constexpr auto kPatience = 5s;

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

// In a session of its own, so that a Ctrl-C for us does not end the browser; and without our
// terminal, into which browsers like to chat.
int spawn_quietly(pid_t& process, std::array<char*, 3> arguments) {
  posix_spawn_file_actions_t files{};
  posix_spawn_file_actions_init(&files);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_addopen(&files, stream, "/dev/null", O_RDWR, 0);
  }
  // A browser that held our sockets would keep the port when we are gone.
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  posix_spawnattr_t attributes{};
  posix_spawnattr_init(&attributes);
  // The signals that StopSignals listens for are blocked in us, and would stay so in the browser.
  sigset_t none{};
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
  const int error =
      posix_spawnp(&process, arguments[0], &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

}  // namespace

// A terminal at the far end of ssh has its browser there.
bool can_show_pages() {
  return ::isatty(STDOUT_FILENO) == 1 && (is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")) &&
         !is_set("SSH_CONNECTION");
}

Expected<void> open_in_browser(const std::string& url, const std::stop_token& stop) {
  std::string program = "xdg-open";
  std::string address = url;
  pid_t process = 0;
  if (const int error = spawn_quietly(process, {program.data(), address.data(), nullptr});
      error != 0) {
    return operation_error("xdg-open: " + std::system_category().message(error));
  }
  // By its number: glibc 2.36 declares pidfd_open for C alone.
  const int ended = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
  const int stopped = ::eventfd(0, EFD_CLOEXEC);
  {
    const std::stop_callback on_stop(stop, [stopped] { ::eventfd_write(stopped, 1); });
    std::array<pollfd, 2> waiting{{{ended, POLLIN, 0}, {stopped, POLLIN, 0}}};
    ::poll(waiting.data(), waiting.size(),
           static_cast<int>(std::chrono::milliseconds(kPatience).count()));
  }
  for (const int handle : {ended, stopped}) {
    if (handle >= 0) ::close(handle);
  }
  int state = 0;
  // Still at work: then it has found one.
  if (::waitpid(process, &state, WNOHANG) != process) return {};
  if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return {};
  return operation_error("xdg-open found no browser that would");
}

}  // namespace gpulse
