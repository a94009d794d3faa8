#include "influxdb/gzip.h"

#include <libdeflate.h>

#include <new>

namespace gpulse {
namespace {

// 500 lines of 29 readings (419 KB): 61 KB in 0.8 ms at level 1, 54 KB in 3.9 ms at 6; zlib
// needs 1.6 ms for 69 KB.
constexpr int kLevel = 1;

}  // namespace

Gzip::Gzip() : compressor_(libdeflate_alloc_compressor(kLevel)) {
  if (compressor_ == nullptr) throw std::bad_alloc();
}

Gzip::~Gzip() { libdeflate_free_compressor(compressor_); }

std::string_view Gzip::compress(std::string_view bytes) {
  const std::size_t bound = libdeflate_gzip_compress_bound(compressor_, bytes.size());
  if (out_.size() < bound) out_.resize(bound);
  const std::size_t size =
      libdeflate_gzip_compress(compressor_, bytes.data(), bytes.size(), out_.data(), out_.size());
  return std::string_view(out_).substr(0, size);
}

}  // namespace gpulse
