#include "influxdb/query.h"

namespace gpulse {

Expected<std::vector<FluxTable>> run_flux(InfluxClient& client, std::string_view flux,
                                          const std::stop_token& stop) {
  const std::string target =
      "/api/v2/query?org=" + percent_encoded(client.endpoint().address.organisation);
  const auto answer = client.ask("POST", target, "application/vnd.flux", flux, stop);
  if (!answer) return std::unexpected(answer.error());
  if (!answer->ok()) {
    return std::unexpected(unexpected_answer(client.endpoint(), "cannot query", *answer));
  }
  return parse_flux_csv(answer->body);
}

std::string flux_string(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || c == '$' || byte == 0x7F) {
      // "${" would begin an expression.
      out += "\\x";
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xFU];
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace gpulse
