// The objects that several answers and live events share, as JSON. docs/openapi.yaml describes
// them.
#pragma once

#include <chrono>

#include "server/import_jobs.h"
#include "server/json_writer.h"
#include "store/history.h"

namespace gpulse {

void write_device(JsonWriter& json, const DeviceRecord& device,
                  std::chrono::microseconds usual_step);
// `metrics` say how many decimals a reading has; one that is not among them prints in full. A
// firing alert lasts until `newest`, its device's last row.
void write_alert(JsonWriter& json, const Alert& alert, std::span<const MetricRecord> metrics,
                 Timestamp newest);
// with_device: "host" and "gpu" too, as the live event has them.
void write_window(JsonWriter& json, const Window& window, std::span<const MetricRecord> metrics,
                  bool with_device);
void write_job(JsonWriter& json, const ImportJob& job);

}  // namespace gpulse
