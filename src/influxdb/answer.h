// What a server's answer to a write means. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "influxdb/endpoint.h"
#include "telemetry/timestamp.h"

namespace gpulse {

enum class Verdict {
  stored,       // all of it is durable
  partly,       // so is what remains; `dropped` lines never will be
  bad_line,     // at least one line cannot be read: look for it
  too_large,    // send less at once
  later,        // the server is overloaded: again after `retry_after`, or a pause
  failed,       // its own error: again, but not for ever with the same lines
  unreachable,  // a gateway has no server behind it: again for as long as it takes
  refused,      // again would be the same: `reason` says what to check
};

struct WriteAnswer {
  Verdict verdict = Verdict::failed;
  std::string reason;  // a sentence part with the server's own words; empty when stored
  std::uint64_t dropped = 0;
  std::optional<std::uint32_t> retry_after_seconds;
  // The bad lines, counted from 0, when the server names them (InfluxDB 3 and its kin).
  std::vector<std::size_t> bad_lines;
};

// `retry_after_seconds` goes into the answer as it is. A reason never holds more than
// kReasonBytesMax of what the server said.
[[nodiscard]] WriteAnswer read_write_answer(const InfluxEndpoint& endpoint, unsigned status,
                                            std::string_view body,
                                            std::optional<std::uint32_t> retry_after_seconds);

inline constexpr std::size_t kReasonBytesMax = 500;

// What to say of a server that answers a client without TLS that it wants one; nothing for any
// other answer.
[[nodiscard]] std::optional<std::string> wants_tls(const InfluxEndpoint& endpoint, unsigned status,
                                                   std::string_view body);

// What the body of an answer that is no success says, in one line: the JSON's message or error, or
// the text itself.
[[nodiscard]] std::string answer_message(std::string_view body);

// By the X-Influxdb-Version header of an answer: "v2.9.1", "1.8.10". Nothing when it says nothing.
[[nodiscard]] std::optional<InfluxVersion> read_version(std::string_view header);

// A Date header, "Tue, 24 Nov 2026 16:00:41 GMT", the only form that a server may send.
[[nodiscard]] std::optional<Timestamp> read_http_date(std::string_view header);

// A Retry-After header: seconds, or a time, which counts from the answer's own Date, since our
// clock may differ from the server's. Nothing when neither can be read.
[[nodiscard]] std::optional<std::uint32_t> read_retry_after(std::string_view header,
                                                            std::string_view date);

}  // namespace gpulse
