#include "server/web_assets.h"

#include <algorithm>
#include <cstdlib>

extern "C" const char gpulse_web_pack[];
extern "C" const char gpulse_web_pack_end[];

namespace gpulse {
namespace {

constexpr std::string_view kMagic = "GPW1";

constexpr std::string_view kNotBuilt =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>gpulse</title>"
    "<h1>The page was not built into this program</h1>"
    "<p>It was built with GPULSE_WEB=OFF. Build it again with Node and GPULSE_WEB=ON, or use the "
    "API: <a href=\"/api/v1/devices\">/api/v1/devices</a>, <a href=\"/metrics\">/metrics</a>.</p>"
    "</html>\n";

// Reads the pack front to back. It was made by our own build, so a broken one ends the program.
class PackReader {
 public:
  explicit PackReader(std::string_view pack) : rest_(pack) {}

  std::string_view bytes(std::size_t size) {
    if (size > rest_.size()) std::abort();
    const std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  std::size_t number() {
    std::size_t value = 0;
    unsigned shift = 0;
    for (const char c : bytes(4)) {
      value |= std::size_t{static_cast<unsigned char>(c)} << shift;
      shift += 8;
    }
    return value;
  }
  std::string_view field() { return bytes(number()); }

 private:
  std::string_view rest_;
};

bool lists(std::string_view header, std::string_view item) {
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(','), header.size());
    std::string_view token = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    token.remove_prefix(std::min(token.find_first_not_of(" \t"), token.size()));
    const std::string_view parameters = token.substr(std::min(token.find(';'), token.size()));
    token = token.substr(0, token.find_first_of("; \t"));
    if (token == item)
      return parameters.find("q=0") == std::string_view::npos ||
             parameters.find("q=0.") != std::string_view::npos;
  }
  return false;
}

}  // namespace

WebAssets::WebAssets(std::string_view pack) {
  if (pack.empty()) return;
  PackReader reader(pack);
  if (reader.bytes(kMagic.size()) != kMagic) std::abort();
  for (std::size_t count = reader.number(); count > 0; --count) {
    Asset asset;
    asset.path = reader.field();
    asset.content_type = reader.field();
    asset.etag = reader.field();
    asset.plain = reader.field();
    asset.gzip = reader.field();
    assets_.push_back(asset);
  }
}

const WebAssets& WebAssets::built_in() {
  static const WebAssets assets(std::string_view(
      gpulse_web_pack, static_cast<std::size_t>(gpulse_web_pack_end - gpulse_web_pack)));
  return assets;
}

const WebAssets::Asset* WebAssets::find(std::string_view path) const {
  if (path == "/") path = "/index.html";
  const auto found = std::ranges::find(assets_, path, &Asset::path);
  return found == assets_.end() ? nullptr : &*found;
}

Response WebAssets::serve(const Request& request) const {
  Response response;
  response.cacheable = true;
  const Asset* asset = find(request.path);
  if (asset == nullptr) {
    if (!assets_.empty() || request.path != "/") {
      return error_response(404, ErrorKind::usage, "there is nothing at " + request.path);
    }
    response.content_type = "text/html; charset=utf-8";
    response.static_body = kNotBuilt;
    response.headers.emplace_back("Cache-Control", "no-cache");
    return response;
  }
  const bool gzip = !asset->gzip.empty() && lists(request.accept_encoding, "gzip");
  // Two encodings are two representations, so they need two tags.
  std::string etag(asset->etag);
  if (gzip) etag.insert(etag.size() - 1, "-gz");
  response.content_type = asset->content_type;
  response.headers.emplace_back("ETag", etag);
  response.headers.emplace_back("Vary", "Accept-Encoding");
  // Names below /assets/ hold a hash of the content; the rest keeps its name when it changes.
  response.headers.emplace_back("Cache-Control", asset->path.starts_with("/assets/")
                                                     ? "public, max-age=31536000, immutable"
                                                     : "no-cache");
  if (lists(request.if_none_match, etag) || lists(request.if_none_match, "W/" + etag)) {
    response.status = 304;
    return response;
  }
  if (gzip) response.headers.emplace_back("Content-Encoding", "gzip");
  response.static_body = gzip ? asset->gzip : asset->plain;
  return response;
}

}  // namespace gpulse
