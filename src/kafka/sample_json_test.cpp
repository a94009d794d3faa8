#include "kafka/sample_json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace gpulse {
namespace {

SampleBatch batch_of(std::vector<ColumnName> names, std::vector<ReadingColumn> columns) {
  SampleBatch batch{{"rig", "gpu0"}, "0123456789abcdef", 680, nullptr, {}, {}, std::move(columns)};
  batch.layout = std::make_shared<const Layout>(Layout{std::move(names)});
  for (std::size_t row = 0; row < batch.columns.front().size(); ++row) {
    batch.times.push_back(*parse_timestamp("2023-06-16T08:17:08Z") + std::chrono::seconds(row));
    batch.offsets.push_back(123'456 + 500 * static_cast<std::int64_t>(row));
  }
  return batch;
}

ReadingColumn column_of(int decimals, std::initializer_list<std::int64_t> counts) {
  ReadingColumn column(decimals);
  for (const std::int64_t count : counts) column.push(count, decimals);
  return column;
}

std::string row_of(const SampleBatch& batch, std::size_t row = 0) {
  SampleJsonWriter writer;
  writer.begin(batch);
  return std::string(writer.row(row));
}

// The text of the readings alone.
std::string readings_of(std::vector<ReadingColumn> columns, std::size_t row = 0) {
  std::vector<ColumnName> names(columns.size(), {"gpu_load", "%"});
  const std::string record = row_of(batch_of(names, std::move(columns)), row);
  std::string text;
  SampleJsonReader reader;
  for (const auto& reading : reader.read(record).value()->readings) {
    text += (text.empty() ? "" : " ") + (reading.value ? std::string(reading.text) : "null");
  }
  return text;
}

std::string refusal(std::string_view json) {
  SampleJsonReader reader;
  const auto record = reader.read(json);
  return record ? "" : record.error().message;
}

constexpr std::string_view kRecord =
    R"({"v":1,"timestamp":"2023-06-16T08:17:08.000000Z","host":"rig","gpu":"gpu0",)"
    R"("source":"0123456789abcdef","session":680,"offset":123456,)"
    R"("metrics":{"gpu_temperature":63.0,"perfcap_reason":16,"gpu_clock":null}})";

std::string record_with(std::string_view part, std::string_view other) {
  std::string record(kRecord);
  const std::size_t at = record.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return record.replace(at, part.size(), other);
}

TEST(SampleJsonWriter, WritesTheRecordOfTheDesign) {
  ReadingColumn absent(1);
  absent.push_absent();
  const SampleBatch batch =
      batch_of({{"gpu_temperature", "°C"}, {"perfcap_reason", ""}, {"gpu_clock", "MHz"}},
               {column_of(1, {630}), column_of(0, {16}), absent});
  EXPECT_EQ(row_of(batch), kRecord);
}

TEST(SampleJsonWriter, GivesReadingsTheDigitsOfTheText) {
  EXPECT_EQ(
      readings_of({column_of(1, {0}), column_of(1, {-5}), column_of(4, {1}), column_of(0, {-7})}),
      "0.0 -0.5 0.0001 -7");
  EXPECT_EQ(
      readings_of({column_of(9, {1'000'000'001}), column_of(3, {100'000}), column_of(2, {10'000})}),
      "1.000000001 100.000 100.00");
  EXPECT_EQ(readings_of({column_of(0, {std::numeric_limits<std::int32_t>::min()}),
                         column_of(3, {9'007'199'254'740'992})}),
            "-2147483648 9007199254740.992");
}

TEST(SampleJsonWriter, KeepsDoublesThatReadBack) {
  ReadingColumn column(0);
  column.push_double(1e300);
  column.push_double(0.1 + 0.2);
  column.push_double(std::numeric_limits<double>::infinity());
  EXPECT_EQ(readings_of({column}, 0), "1e+300");
  EXPECT_EQ(readings_of({column}, 1), "0.30000000000000004");
  EXPECT_EQ(readings_of({column}, 2), "null");
}

TEST(SampleJsonWriter, NamesTheUnitsThatTheCatalogueLacks) {
  const SampleBatch batch = batch_of({{"gpu_clock", "MHz"},
                                      {"aux_2_power", "W"},
                                      {"gpu_clock_2", "MHz"},
                                      {"flow", "l/\"h"},
                                      {"mystery", ""}},
                                     {5, column_of(0, {1})});
  EXPECT_TRUE(row_of(batch).ends_with(
      R"(,"units":{"aux_2_power":"W","gpu_clock_2":"MHz","flow":"l/\"h"}})"))
      << row_of(batch);
}

TEST(SampleJsonWriter, EscapesWhatOptionsBring) {
  SampleBatch batch = batch_of({{"gpu_load", "%"}}, {column_of(0, {1})});
  batch.device = {"Büro \"4\"\\\n", "g\xFFpu"};
  const std::string record = row_of(batch);
  EXPECT_NE(record.find(R"("host":"Büro \"4\"\\\u000a","gpu":"g�pu")"), std::string::npos)
      << record;
  SampleJsonReader reader;
  EXPECT_EQ(reader.read(record).value()->host, batch.device.host);
}

TEST(SampleJsonWriter, FollowsDaysYearsAndLayouts) {
  SampleBatch batch = batch_of({{"gpu_load", "%"}}, {column_of(0, {1, 2, 3})});
  batch.times = {*parse_timestamp("2023-12-31T23:59:59.999999Z"),
                 *parse_timestamp("2024-01-01T00:00:00Z"),
                 *parse_timestamp("1969-12-31T23:59:59.000001Z")};
  SampleJsonWriter writer;
  SampleJsonReader reader;
  writer.begin(batch);
  for (std::size_t row = 0; row < 3; ++row) {
    const std::string record(writer.row(row));
    EXPECT_NE(record.find('"' + to_rfc3339(batch.times[row]) + '"'), std::string::npos) << record;
    EXPECT_EQ(reader.read(record).value()->timestamp, batch.times[row]);
  }
  const SampleBatch other =
      batch_of({{"gpu_clock", "MHz"}, {"fan_speed", "%"}}, {column_of(0, {1}), column_of(0, {2})});
  writer.begin(other);
  EXPECT_EQ(reader.read(writer.row(0)).value()->readings.size(), 2U);
}

TEST(SampleJson, WhatIsWrittenIsReadBack) {
  std::mt19937_64 random(7);
  std::vector<ColumnName> names;
  std::vector<ReadingColumn> columns;
  constexpr std::size_t kRows = 200;
  for (int i = 0; i < 24; ++i) {
    names.push_back({fmt::format("metric_{}", i), i % 2 ? "W" : ""});
    ReadingColumn& column = columns.emplace_back(i % 5);
    for (std::size_t row = 0; row < kRows; ++row) {
      const auto count = static_cast<std::int64_t>(random() >> (20 + random() % 44)) - 100;
      random() % 10 == 0 ? column.push_absent() : column.push(count, i % 5);
    }
  }
  const SampleBatch batch = batch_of(names, columns);
  SampleJsonWriter writer;
  SampleJsonReader reader;
  writer.begin(batch);
  for (std::size_t row = 0; row < kRows; ++row) {
    const auto record = reader.read(writer.row(row));
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_EQ((*record)->timestamp, batch.times[row]);
    EXPECT_EQ((*record)->offset, batch.offsets[row]);
    EXPECT_EQ((*record)->session, batch.session);
    EXPECT_EQ((*record)->source, batch.source);
    EXPECT_EQ((*record)->units.size(), 12U);
    ASSERT_EQ((*record)->readings.size(), names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      const RecordReading& reading = (*record)->readings[i];
      EXPECT_EQ(reading.name, names[i].metric);
      ASSERT_EQ(reading.value.has_value(), batch.columns[i].present(row));
      EXPECT_EQ(reading.value.value_or(0), reading.value ? batch.columns[i].value(row) : 0)
          << reading.text;
    }
  }
}

TEST(SampleJsonReader, TakesTheRecordApart) {
  SampleJsonReader reader;
  const auto record = reader.read(kRecord);
  ASSERT_TRUE(record) << record.error().message;
  EXPECT_EQ((*record)->host, "rig");
  EXPECT_EQ((*record)->gpu, "gpu0");
  EXPECT_EQ((*record)->session, 680);
  ASSERT_EQ((*record)->readings.size(), 3U);
  EXPECT_EQ((*record)->readings[0].text, "63.0");
  EXPECT_EQ((*record)->readings[0].value, 63.0);
  EXPECT_EQ((*record)->readings[2].name, "gpu_clock");
  EXPECT_EQ((*record)->readings[2].value, std::nullopt);
}

TEST(SampleJsonReader, TakesOtherOrdersBlanksAndWhatItDoesNotKnow) {
  EXPECT_EQ(refusal(" {\n\"later\":[1,{\"a\":null}], \"offset\" : 1 ,\"session\":0,\"metrics\":{ "
                    "\"gpu_load\" : 5.0 },"
                    "\"source\":\"s\",\"gpu\":\"g\",\"host\":\"h\",\"timestamp\":\"2023-06-16T08:"
                    "17:08Z\",\"v\":1}\n"),
            "");
  EXPECT_EQ(refusal(record_with(
                R"("metrics":{"gpu_temperature":63.0,"perfcap_reason":16,"gpu_clock":null})",
                R"("metrics":{})")),
            "");
}

// Fuzzing found that it was read on into what an earlier, longer one had left behind.
TEST(SampleJsonReader, ARecordThatBreaksOffIsNotReadPastItsEnd) {
  SampleJsonReader reader;
  for (std::size_t size = 0; size < kRecord.size(); ++size) {
    EXPECT_TRUE(reader.read(kRecord));
    const auto record = reader.read(kRecord.substr(0, size));
    EXPECT_FALSE(record) << kRecord.substr(0, size);
  }
}

TEST(SampleJsonReader, SaysWhatIsWrong) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "no JSON"},
      {"[1]", "no whole JSON object"},
      {"12", "no whole JSON object"},
      {std::string(kRecord.substr(0, 60)), ""},
      {std::string(kRecord) + "{}", "something follows"},
      {record_with(R"("v":1)", R"("v":2)"), "version 2"},
      {record_with(R"("v":1,)", ""), "v is missing"},
      {record_with(R"("offset":123456,)", ""), "offset is missing"},
      {record_with("123456,", "-1,"), "offset is no byte offset"},
      {record_with("123456,", "1.5,"), "offset is no byte offset"},
      {record_with("680", "\"680\""), "session is no byte offset"},
      {record_with("2023-06-16T08", "2023-13-16T08"), "no RFC 3339 instant"},
      {record_with("2023-06-16T08:17:08.000000Z", "1686903428000"), "no RFC 3339 instant"},
      {record_with("\"rig\"", "\"\""), "host is empty"},
      {record_with("\"rig\"", "5"), "host is no string"},
      {record_with("63.0", "\"63\""), "metrics.gpu_temperature is neither a number nor null"},
      {record_with("63.0", "1e999"), "metrics.gpu_temperature is neither a number nor null"},
      {record_with("63.0", "[1]"), "metrics.gpu_temperature is neither a number nor null"},
      {record_with("63.0", "NaN"), "metrics.gpu_temperature"},
      {record_with("\"gpu\":", "\"host\":"), "host is there twice"},
  };
  for (const auto& [json, part] : cases) {
    const std::string message = refusal(json);
    EXPECT_NE(message, "") << json;
    EXPECT_NE(message.find(part), std::string::npos) << json << ": " << message;
  }
}

}  // namespace
}  // namespace gpulse
