// Makes up GPU-Z logs, byte for byte in GPU-Z's format, that an owner would take for real.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gpuz/generator_labels.h"
#include "gpuz/generator_options.h"

namespace gpulse {

// A log, line by line. The same options give the same bytes on every machine. Memory does not grow
// with the log, as long as the labels are taken. Not thread-safe.
class LogGenerator {
 public:
  // `options` must pass validate().
  explicit LogGenerator(const GeneratorOptions& options);
  LogGenerator(LogGenerator&&) noexcept;
  LogGenerator& operator=(LogGenerator&&) noexcept;
  ~LogGenerator();

  // Appends the next line, a header or a row, with its line end. False when the log is whole.
  bool next(std::string& out);

  // The local time of the row that next() wrote last, to the microsecond where rows share a second.
  [[nodiscard]] LocalTime time() const;

  // The labels that are complete and not yet taken, in the order of their ends.
  [[nodiscard]] std::vector<Label> take_labels();

  // Of what was written so far.
  [[nodiscard]] const Facts& facts() const;
  // One entry a scenario begun so far, in order.
  [[nodiscard]] std::span<const Facts> segments() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gpulse
