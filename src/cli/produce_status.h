// What `gpulse produce` tells of itself at /metrics and /healthz.
#pragma once

#include "cli/log_options.h"
#include "kafka/producer.h"
#include "server/status_server.h"
#include "store/store.h"

namespace gpulse::cli {

// All three must outlive the pages.
[[nodiscard]] StatusPages produce_pages(const SampleProducer& producer, const Store& book,
                                        const LogPlan& plan);

}  // namespace gpulse::cli
