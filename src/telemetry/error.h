// What went wrong, as a value. Errors of operation travel in Expected<T>; our own bugs are asserts.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace gpulse {

// Decides the exit code of a command (see exit_code) and the HTTP status of a request.
enum class ErrorKind {
  usage,  // the command line, a request or a configuration file is wrong
  input,  // what was to be read is missing, unreadable, or no GPU-Z log
  operation,  // the machine or another program refused: disk full, port in use, ...
};

struct Error {
  ErrorKind kind = ErrorKind::operation;
  std::string message;  // a full sentence part, lower case, naming the input it is about
  bool retryable = false;  // the same call may succeed later

  // Puts what was being done in front: "cannot open the store: " + message.
  [[nodiscard]] Error wrapped(std::string_view doing) && {
    message.insert(0, std::string(doing) + ": ");
    return std::move(*this);
  }
};

template <class T>
using Expected = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> usage_error(std::string message) {
  return std::unexpected(Error{ErrorKind::usage, std::move(message)});
}
[[nodiscard]] inline std::unexpected<Error> input_error(std::string message) {
  return std::unexpected(Error{ErrorKind::input, std::move(message)});
}
[[nodiscard]] inline std::unexpected<Error> operation_error(std::string message,
                                                            bool retryable = false) {
  return std::unexpected(Error{ErrorKind::operation, std::move(message), retryable});
}

// 1 operation, 2 usage, 3 input; 0 is success.
[[nodiscard]] constexpr int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return 2;
    case ErrorKind::input: return 3;
    case ErrorKind::operation: break;
  }
  return 1;
}

}  // namespace gpulse
