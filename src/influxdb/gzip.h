// gzip of request bodies.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct libdeflate_compressor;

namespace gpulse {

// Not thread-safe; one object's memory is used again and again.
class Gzip {
 public:
  Gzip();
  ~Gzip();
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  // Valid until the next call.
  [[nodiscard]] std::string_view compress(std::string_view bytes);

 private:
  libdeflate_compressor* compressor_;
  std::string out_;
};

}  // namespace gpulse
