#include "influxdb/answer.h"

#include <gtest/gtest.h>

#include "influxdb/flux.h"
#include "influxdb/gzip.h"

#include <libdeflate.h>

namespace gpulse {
namespace {

InfluxEndpoint endpoint() {
  InfluxEndpoint out;
  out.address = *parse_influx_address("influxdb://h/gpulse/gpu-metrics");
  out.token = "s3cret";
  out.token_from = "the token in /etc/token";
  return out;
}

WriteAnswer read(unsigned status, std::string_view body) {
  return read_write_answer(endpoint(), status, body, std::nullopt);
}

TEST(WriteAnswer, EachStatusIsToldApart) {
  constexpr std::string_view kJson = R"({"code":"x","message":"why"})";
  EXPECT_EQ(read(204, "").verdict, Verdict::stored);
  EXPECT_EQ(read(200, "<html>").verdict, Verdict::refused);
  EXPECT_EQ(read(400, kJson).verdict, Verdict::bad_line);
  EXPECT_EQ(read(400, "nonsense").verdict, Verdict::refused);
  EXPECT_NE(
      read(400, "Client sent an HTTP request to an HTTPS server.").reason.find("influxdbs://"),
      std::string::npos);
  EXPECT_EQ(read(401, kJson).verdict, Verdict::refused);
  EXPECT_EQ(read(403, kJson).verdict, Verdict::refused);
  EXPECT_EQ(read(404, kJson).verdict, Verdict::refused);
  EXPECT_EQ(read(413, kJson).verdict, Verdict::too_large);
  // InfluxDB 3 at its limit of tables or columns: nothing was stored.
  EXPECT_EQ(read(422, kJson).verdict, Verdict::refused);
  EXPECT_EQ(read(422, kJson).reason,
            "InfluxDB at h:8086 takes nothing for bucket \"gpu-metrics\" as it is (422 why)");
  EXPECT_EQ(read(422, "<html>").verdict, Verdict::refused);
  EXPECT_EQ(read_write_answer(endpoint(), 429, kJson, 7U).retry_after_seconds, 7U);
  EXPECT_EQ(read(429, kJson).verdict, Verdict::later);
  EXPECT_EQ(read(503, kJson).verdict, Verdict::later);
  EXPECT_EQ(read(500, kJson).verdict, Verdict::failed);
  EXPECT_EQ(read(502, "<html>").verdict, Verdict::unreachable);
  EXPECT_EQ(read(400, kJson).reason, "InfluxDB at h:8086 answers 400 why");
}

TEST(WriteAnswer, WhatWasDroppedIsCounted) {
  EXPECT_EQ(read(422, R"({"message":"partial write: field type conflict dropped=2"})").dropped, 2U);
  EXPECT_EQ(read(422, R"({"message":"dropped 1 points outside retention policy"})").dropped, 1U);
  EXPECT_EQ(read(422, R"({"message":"partial write: dropped=0"})").dropped, 0U);
  EXPECT_EQ(read(422, R"({"message":"partial write: dropped=0"})").verdict, Verdict::partly);
  EXPECT_EQ(read(422, R"({"message":"dropped=99999999999999999999999"})").verdict,
            Verdict::refused);
  const auto of_1 =
      read(400, R"({"error":"partial write: points beyond retention policy dropped=3"})");
  EXPECT_EQ(of_1.verdict, Verdict::partly);
  EXPECT_EQ(of_1.dropped, 3U);
}

TEST(WriteAnswer, LinesThatAreNamedAreRead) {
  // InfluxDB 1.6 on lines that it cannot read: it has stored the others, and does not count these.
  EXPECT_EQ(
      read(400,
           R"({"error":"partial write: unable to parse 'm v= 2': missing field value dropped=0"})")
          .verdict,
      Verdict::bad_line);
  const auto of_3 = read(400, R"({"error":"partial write of line protocol occurred","data":[
      {"original_line":"b","line_number":7,"error_message":"no field"},
      {"original_line":"a","line_number":2,"error_message":"x"},
      {"original_line":"a","line_number":2,"error_message":"x"},{"line_number":0},{"x":1}]})");
  EXPECT_EQ(of_3.verdict, Verdict::bad_line);
  EXPECT_EQ(of_3.bad_lines, (std::vector<std::size_t>{1, 6}));
  EXPECT_NE(of_3.reason.find("no field"), std::string::npos);
  EXPECT_EQ(read(400, R"({"code":"invalid","message":"m","line":4})").bad_lines,
            (std::vector<std::size_t>{3}));
  EXPECT_EQ(read(400, R"({"error":"parsing failed","data":{"line_number":1,"error_message":"e"}})")
                .bad_lines,
            (std::vector<std::size_t>{0}));
}

TEST(WriteAnswer, AMessageIsOneLineOfBoundedLength) {
  const std::string long_text = std::string(499, 'x') + "ü" + std::string(9999, 'y');
  const std::string message = answer_message(long_text);
  EXPECT_EQ(message, std::string(499, 'x') + "…");
  EXPECT_EQ(answer_message("a\r\nb\n"), "a  b");
}

TEST(HttpDate, IsReadInItsOnlyForm) {
  EXPECT_EQ(read_http_date("Tue, 24 Nov 2026 16:00:41 GMT"),
            parse_timestamp("2026-11-24T16:00:41Z"));
  EXPECT_EQ(read_http_date("Tue, 24 Nov 2026 16:00:41 CET"), std::nullopt);
  EXPECT_EQ(read_http_date("Tue, 24 Nom 2026 16:00:41 GMT"), std::nullopt);
  EXPECT_EQ(read_http_date(""), std::nullopt);
}

TEST(WantsTls, IsToldOfAServerThatSaysSo) {
  constexpr std::string_view kSaid = "Client sent an HTTP request to an HTTPS server.\n";
  EXPECT_EQ(wants_tls(endpoint(), 400, kSaid),
            "InfluxDB at h:8086 speaks TLS only: write influxdbs:// instead of influxdb://");
  EXPECT_EQ(wants_tls(endpoint(), 204, kSaid), std::nullopt);
  EXPECT_EQ(wants_tls(endpoint(), 400, "unable to parse"), std::nullopt);
}

TEST(RetryAfter, IsSecondsOrATimeThatCountsFromTheAnswersDate) {
  constexpr std::string_view kDate = "Tue, 24 Nov 2026 16:00:41 GMT";
  EXPECT_EQ(read_retry_after("7", kDate), 7U);
  EXPECT_EQ(read_retry_after("7", ""), 7U);
  EXPECT_EQ(read_retry_after("Tue, 24 Nov 2026 16:02:00 GMT", kDate), 79U);
  EXPECT_EQ(read_retry_after("Tue, 24 Nov 2026 15:00:00 GMT", kDate), 0U);
  EXPECT_EQ(read_retry_after("Tue, 24 Nov 2026 16:02:00 GMT", ""), std::nullopt);
  EXPECT_EQ(read_retry_after("soon", kDate), std::nullopt);
  EXPECT_EQ(read_retry_after("", kDate), std::nullopt);
}

TEST(WriteAnswer, VersionsAreRead) {
  EXPECT_EQ(read_version("v2.9.1"), InfluxVersion::v2);
  EXPECT_EQ(read_version("1.8.10"), InfluxVersion::v1);
  EXPECT_EQ(read_version("3.5.0"), InfluxVersion::v3);
  EXPECT_EQ(read_version(""), std::nullopt);
  EXPECT_EQ(read_version("10.1"), std::nullopt);
}

TEST(FluxCsv, TablesHaveTheirOwnHeadings) {
  const auto tables = parse_flux_csv(
      ",result,table,_value\r\n,_result,0,1\r\n,_result,0,\"a,\"\"b\"\"\nc\"\r\n\r\n"
      ",result,table,_time,x\r\n,_result,1,2026,\r\n\r\n");
  ASSERT_TRUE(tables.has_value());
  ASSERT_EQ(tables->size(), 2U);
  EXPECT_EQ(tables->at(0).column("_value"), (std::vector<std::string>{"1", "a,\"b\"\nc"}));
  EXPECT_EQ(tables->at(1).column("_time"), (std::vector<std::string>{"2026"}));
  EXPECT_EQ(tables->at(1).column("missing"), (std::vector<std::string>{""}));
  EXPECT_TRUE(parse_flux_csv("\r\n")->empty());
}

TEST(FluxCsv, AnErrorInTheMiddleOfAnAnswerIsOne) {
  const auto failed = parse_flux_csv(
      ",result,table,_value\r\n,_result,0,1\r\n\r\n,error,reference\r\n"
      ",out of memory,897\r\n");
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().message, "the query failed: out of memory");
  EXPECT_FALSE(parse_flux_csv("a,b\r\n1\r\n").has_value());
  EXPECT_FALSE(parse_flux_csv("a,\"b\r\n1\r\n").has_value());
}

TEST(Gzip, ReadsBack) {
  Gzip gzip;
  for (const std::size_t size : {0U, 10U, 100'000U, 5U}) {
    std::string text;
    while (text.size() < size) text += "gpu_metrics,host=rig " + std::to_string(text.size()) + '\n';
    const std::string_view packed = gzip.compress(text);
    std::string back(text.size(), '\0');
    libdeflate_decompressor* const unpacker = libdeflate_alloc_decompressor();
    ASSERT_EQ(libdeflate_gzip_decompress(unpacker, packed.data(), packed.size(), back.data(),
                                         back.size(), nullptr),
              LIBDEFLATE_SUCCESS);
    libdeflate_free_decompressor(unpacker);
    EXPECT_EQ(back, text);
  }
}

}  // namespace
}  // namespace gpulse
