#include "telemetry/metric.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace gpulse {
namespace {

bool is_name(const std::string& name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name[0] >= 'a' && name[0] <= 'z' && std::ranges::all_of(name, good);
}

TEST(Metric, CatalogueIsSoundInEveryLine) {
  std::set<std::string> names;
  std::set<std::string> exported;
  std::set<std::string> titles;
  for (const Metric& metric : MetricCatalogue::get().metrics()) {
    EXPECT_TRUE(is_name(metric.name)) << metric.name;
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_TRUE(exported.insert(metric.prometheus_name).second) << metric.prometheus_name;
    EXPECT_TRUE(metric.prometheus_name.starts_with("gpulse_")) << metric.prometheus_name;
    EXPECT_LT(metric.plausible_min, metric.plausible_max) << metric.name;
    EXPECT_GT(metric.prometheus_factor, 0) << metric.name;
    EXPECT_FALSE(metric.titles.empty()) << metric.name;
    for (const std::string& title : metric.titles) {
      EXPECT_TRUE(titles.insert(title).second) << title;
      EXPECT_TRUE(title.ends_with(']')) << title;
    }
  }
  EXPECT_GT(names.size(), 60U);
}

TEST(Metric, IsFoundByItsName) {
  const Metric* metric = MetricCatalogue::get().find("gpu_clock");
  ASSERT_NE(metric, nullptr);
  EXPECT_EQ(metric->unit, "MHz");
  EXPECT_EQ(metric->kind, MetricKind::gauge);
  EXPECT_EQ(metric->prometheus_factor, 1e6);
  EXPECT_EQ(MetricCatalogue::get().find("gpu_clock_2"), nullptr);
  EXPECT_EQ(MetricCatalogue::get().find(""), nullptr);
  EXPECT_EQ(MetricCatalogue::get().find("perfcap_reason")->kind, MetricKind::bitmask);
}

TEST(Metric, ThatTheCatalogueLacksIsAGaugeOfAnyValue) {
  const Metric metric = describe_metric("liquid_flow", "l/h");
  EXPECT_EQ(metric.unit, "l/h");
  EXPECT_EQ(metric.group, "other");
  EXPECT_EQ(metric.prometheus_name, "gpulse_liquid_flow");
  EXPECT_EQ(metric.prometheus_factor, 1);
  EXPECT_EQ(describe_metric("gpu_clock", "").unit, "MHz");
}

TEST(Metric, CatalogueReadsLinesOfAnyEnd) {
  const MetricCatalogue catalogue(
      "a heading\r\nx,W,counter,power,-1,5,gpulse_x,2,X [W]|Y [W]\r\n\n");
  ASSERT_EQ(catalogue.metrics().size(), 1U);
  EXPECT_EQ(to_string(catalogue.metrics()[0].kind), "counter");
  EXPECT_EQ(catalogue.metrics()[0].titles, (std::vector<std::string>{"X [W]", "Y [W]"}));
}

}  // namespace
}  // namespace gpulse
