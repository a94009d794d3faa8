// The InfluxDB part of the way: server, bucket, token, downsampling. Writes no point.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>

#include "doctor/check.h"
#include "influxdb/endpoint.h"
#include "influxdb/inspection.h"

namespace gpulse::doctor {

struct InfluxQuestions {
  InfluxOptions options;
  std::optional<std::chrono::seconds> retention;  // what the bucket is to keep at least
};

// A token that cannot be used is one of its lines; the server is asked all the same.
[[nodiscard]] Checks check_influx(const InfluxQuestions& questions, const Clock& clock);

// What a token may, by the status of a write and of a read that were tried with it; a version other
// than 2 is not asked to read. Pure.
[[nodiscard]] Check judge_token(const InfluxEndpoint& endpoint, unsigned write_status,
                                std::optional<unsigned> read_status);
[[nodiscard]] Check judge_bucket(const InfluxEndpoint& endpoint, const InfluxBucket& bucket,
                                 std::optional<std::chrono::seconds> wanted);
[[nodiscard]] Check judge_task(const std::string& name, const InfluxTask& task);

}  // namespace gpulse::doctor
