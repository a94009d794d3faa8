// The page's files, packed into the program by cmake/pack_web.py.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/request.h"

namespace gpulse {

// Immutable; any thread. Borrows the pack's bytes, which must live as long as the program.
class WebAssets {
 public:
  // The pack in the format of cmake/pack_web.py. An empty one serves a plain page that says how to
  // build the page. A broken one is a bug of the build: assert.
  explicit WebAssets(std::string_view pack);
  // What was built into this program.
  [[nodiscard]] static const WebAssets& built_in();

  [[nodiscard]] bool has(std::string_view path) const { return find(path) != nullptr; }
  // "/" is "/index.html". Compressed where the client takes it; 304 when it has the same already;
  // 404.
  [[nodiscard]] Response serve(const Request& request) const;

 private:
  struct Asset {
    std::string_view path;
    std::string_view content_type;
    std::string_view etag;  // quoted; of the identity bytes
    std::string_view plain;
    std::string_view gzip;  // empty where it would not be smaller
  };
  [[nodiscard]] const Asset* find(std::string_view path) const;

  std::vector<Asset> assets_;
};

}  // namespace gpulse
