#include "verify/log_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "gpuz/log_file.h"

namespace gpulse {
namespace {

// Some thousand rows: what a cursor holds, and what InfluxDB is asked for at once.
constexpr std::size_t kChunkBytes = std::size_t{1} << 20;
constexpr std::size_t kBatchRowsMax = 4096;

LogReader reader_of(const LogUnderTest& log) {
  return LogReader({.device = log.device,
                    .zone = log.zone,
                    .source_suffix = {},
                    .batch_rows_max = kBatchRowsMax});
}

class Surveyor final : public LogReceiver {
 public:
  explicit Surveyor(LogSurvey& survey) : survey_(survey) {}

  void on_rows(const SampleBatch& batch) override {
    if (survey_.sessions.empty() || survey_.sessions.back().session != batch.session) {
      survey_.sessions.push_back({batch.session, 0});
    }
    const auto rows = static_cast<std::int64_t>(batch.rows());
    survey_.sessions.back().rows += rows;
    survey_.rows += rows;
  }
  void on_set_aside(const SetAside& /*line*/) override { ++survey_.set_aside; }

 private:
  LogSurvey& survey_;
};

class Collector final : public LogReceiver {
 public:
  explicit Collector(std::deque<SampleBatch>& batches) : batches_(batches) {}
  void on_rows(const SampleBatch& batch) override { batches_.push_back(batch); }
  void on_set_aside(const SetAside& /*line*/) override {}

 private:
  std::deque<SampleBatch>& batches_;
};

}  // namespace

Expected<LogUnderTest> survey_log(const std::filesystem::path& file, Device device,
                                  std::shared_ptr<const TimeZone> zone) {
  auto opened = ReadFile::open(file);
  if (!opened) return std::unexpected(opened.error());
  LogUnderTest log{
      std::make_shared<const ReadFile>(std::move(*opened)), std::move(device), std::move(zone), {}};
  const auto size = log.file->size();
  if (!size) return std::unexpected(size.error());
  LogSurvey& survey = log.survey;
  survey.bytes = *size;
  LogReader reader = reader_of(log);
  Surveyor surveyor(survey);
  std::vector<char> buffer(kChunkBytes);
  std::string start;
  for (std::int64_t at = 0; at < survey.bytes;) {
    const auto left = static_cast<std::size_t>(survey.bytes - at);
    const auto got = log.file->read_at(at, std::span(buffer).first(std::min(kChunkBytes, left)));
    if (!got) return std::unexpected(got.error());
    if (*got == 0) return input_error(fmt::format("{} was cut while it was read", display(file)));
    if (at == 0) start.assign(buffer.data(), std::min<std::size_t>(*got, 256));
    reader.push({buffer.data(), *got}, surveyor);
    at += static_cast<std::int64_t>(*got);
  }
  survey.source = reader.state().source;
  survey.end = reader.state().position;
  if (survey.rows > 0) return log;
  if (reader.state().header.empty()) return std::unexpected(not_a_log(display(file), start));
  return input_error(fmt::format("{} holds no row yet", display(file)));
}

LogRows::LogRows(const LogUnderTest& log)
    : log_(&log), reader_(std::make_unique<LogReader>(reader_of(log))) {}

Expected<const SampleBatch*> LogRows::next() {
  if (handed_out_) {
    before_ += static_cast<std::int64_t>(batches_.front().rows());
    batches_.pop_front();
    handed_out_ = false;
  }
  while (batches_.empty()) {
    const std::int64_t left = log_->survey.end - at_;
    if (left <= 0) {
      reader_.reset();
      buffer_ = {};
      return nullptr;
    }
    buffer_.resize(kChunkBytes);
    const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(left, kChunkBytes));
    const auto got = log_->file->read_at(at_, std::span(buffer_).first(wanted));
    if (!got) return std::unexpected(got.error());
    if (*got == 0) {
      return input_error(fmt::format("{} was cut while it was read", display(log_->file->path())));
    }
    Collector collector(batches_);
    reader_->push({buffer_.data(), *got}, collector);
    at_ += static_cast<std::int64_t>(*got);
  }
  handed_out_ = true;
  return &batches_.front();
}

Expected<std::vector<std::int64_t>> line_numbers(const ReadFile& file,
                                                 std::span<const std::int64_t> offsets) {
  std::vector<std::int64_t> lines;
  std::vector<char> buffer(kChunkBytes);
  std::int64_t at = 0;
  std::int64_t line = 1;
  for (const std::int64_t offset : offsets) {
    while (at < offset) {
      const auto wanted = std::min<std::int64_t>(offset - at, kChunkBytes);
      const auto got = file.read_at(at, std::span(buffer).first(static_cast<std::size_t>(wanted)));
      if (!got) return std::unexpected(got.error());
      if (*got == 0) break;
      line += std::count(buffer.data(), buffer.data() + *got, '\n');
      at += static_cast<std::int64_t>(*got);
    }
    lines.push_back(line);
  }
  return lines;
}

}  // namespace gpulse
