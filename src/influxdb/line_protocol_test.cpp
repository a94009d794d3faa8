#include "influxdb/line_protocol.h"

#include <gtest/gtest.h>

#include <limits>

namespace gpulse {
namespace {

SampleBatch one_row() {
  SampleBatch batch;
  batch.device = {"rig", "gpu0"};
  batch.source = "1f2e";
  batch.layout = std::make_shared<const Layout>(
      Layout{{{"gpu_temperature", "°C"}, {"perfcap_reason", ""}, {"gpu_clock", "MHz"}}});
  batch.times = {from_microseconds(1'686'903'428'000'001)};
  batch.offsets = {123456};
  batch.columns.resize(3);
  return batch;
}

std::string rendered(const SampleBatch& batch) {
  BatchRenderer renderer;
  Lines lines;
  renderer.render(batch, 1, lines);
  return lines.text;
}

std::string number(std::int64_t count, int decimals) {
  SampleBatch batch = one_row();
  batch.columns[0].push(count, decimals);
  batch.columns[1].push_absent();
  batch.columns[2].push_absent();
  const std::string text = rendered(batch);
  const std::size_t from = text.find("gpu_temperature=") + 16;
  return text.substr(from, text.find(',', from) - from);
}

std::string number(double value) {
  SampleBatch batch = one_row();
  batch.columns[0].push_double(value);
  batch.columns[1].push_absent();
  batch.columns[2].push_absent();
  return rendered(batch);
}

TEST(LineProtocol, ARowIsALineAsItsTextHadIt) {
  SampleBatch batch = one_row();
  batch.columns[0].push(630, 1);
  batch.columns[1].push(16, 0);
  batch.columns[2].push_absent();
  EXPECT_EQ(rendered(batch),
            "gpu_metrics,host=rig,gpu=gpu0,source=1f2e "
            "gpu_temperature=63.0,perfcap_reason=16,offset=123456 1686903428000001000\n");
}

TEST(LineProtocol, ARowWithoutReadingsIsAPointToo) {
  SampleBatch batch = one_row();
  for (ReadingColumn& column : batch.columns) column.push_absent();
  EXPECT_EQ(rendered(batch),
            "gpu_metrics,host=rig,gpu=gpu0,source=1f2e offset=123456 1686903428000001000\n");
}

TEST(LineProtocol, NumbersAreExact) {
  EXPECT_EQ(number(0, 0), "0");
  EXPECT_EQ(number(0, 4), "0.0000");
  EXPECT_EQ(number(-5, 1), "-0.5");
  EXPECT_EQ(number(-1, 4), "-0.0001");
  EXPECT_EQ(number(12'0000, 4), "12.0000");
  EXPECT_EQ(number(100, 0), "100");
  EXPECT_EQ(number(9'007'199'254'740'992, 9), "9007199.254740992");
  EXPECT_EQ(number(-2'147'483'649, 0), "-2147483649");
}

TEST(LineProtocol, IntegersOfEveryLengthAreExact) {
  std::int64_t power = 1;
  for (int digits = 1; digits <= 15; ++digits, power *= 10) {
    for (const std::int64_t value : {power - 1, power, power + 1, 3 * power}) {
      EXPECT_EQ(number(value, 0), std::to_string(value));
      EXPECT_EQ(number(-value, 0), value == 0 ? "0" : "-" + std::to_string(value));
    }
  }
}

TEST(LineProtocol, DoublesAreTheShortestTextAndWhatIsNoNumberIsLeftOut) {
  EXPECT_NE(number(1e22).find("gpu_temperature=1e+22,"), std::string::npos);
  EXPECT_NE(number(0.1).find("gpu_temperature=0.1,"), std::string::npos);
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()).find("gpu_temperature"),
            std::string::npos);
}

TEST(LineProtocol, NamesAreEscaped) {
  const auto escaped = [](std::string_view text) {
    std::string out;
    append_tag_value(out, text);
    return out;
  };
  EXPECT_EQ(escaped("plain-1"), "plain-1");
  EXPECT_EQ(escaped("my rig"), "my\\ rig");
  EXPECT_EQ(escaped("a,b=c"), "a\\,b\\=c");
  EXPECT_EQ(escaped("a\\b"), "a\\b");
  EXPECT_EQ(escaped("a\\ b"), "a\\\\ b");
  EXPECT_EQ(escaped("a\\\\"), "a＼＼") << "a backslash at the end would swallow the comma";
  EXPECT_EQ(escaped("\\"), "＼");
  EXPECT_EQ(escaped("a\nb\x7F"), "a␊b␡");
  EXPECT_EQ(escaped("Kühlung"), "Kühlung");
}

TEST(LineProtocol, RecordsMakeTheSameLineAsRows) {
  SampleBatch batch = one_row();
  batch.device = {"my rig", "gpu,0"};
  batch.columns[0].push(630, 1);
  batch.columns[1].push(16, 0);
  batch.columns[2].push(-15, 1);
  LineBuilder builder;
  Lines lines;
  for (std::uint64_t ticket : {7U, 8U}) {
    builder.begin("my rig", "gpu,0", "1f2e");
    builder.field("gpu_temperature", "63.0");
    builder.field("perfcap_reason", "16");
    builder.field("", "1");
    builder.field("gpu_clock", "-1.5");
    builder.end(lines, 123456, from_microseconds(1'686'903'428'000'001), ticket);
  }
  builder.begin("other", "", "x");
  builder.end(lines, 1, from_microseconds(2), 9);
  const std::string row = rendered(batch);
  EXPECT_EQ(lines.text, row + row + "gpu_metrics,host=other,source=x offset=1 2000\n");
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines.line(0), row.substr(0, row.size() - 1));
  EXPECT_EQ(lines.line(2), "gpu_metrics,host=other,source=x offset=1 2000");
  EXPECT_EQ(lines.tickets, (std::vector<std::uint64_t>{7, 8, 9}));
}

TEST(LineProtocol, ATimeBeyondNanosecondsDoesNotWrapAround) {
  LineBuilder builder;
  Lines lines;
  builder.begin("h", "g", "s");
  builder.end(lines, 1, from_microseconds(std::numeric_limits<std::int64_t>::max()), 1);
  EXPECT_TRUE(lines.text.ends_with(" 9223372036854775807\n"));
}

}  // namespace
}  // namespace gpulse
