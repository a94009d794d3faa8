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

}  // namespace gpulse
