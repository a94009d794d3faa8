#include "stream/config.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace gpulse {
namespace {

std::vector<AlertRule> rules_of(std::string_view text) {
  const auto config = parse_config(text, "gpulse.toml");
  EXPECT_TRUE(config) << config.error().message;
  return config.value_or(Config{}).rules;
}

std::string error_of(std::string_view text) {
  const auto config = parse_config(text, "gpulse.toml");
  if (config) return "no error";
  EXPECT_EQ(config.error().kind, ErrorKind::usage);
  return config.error().message;
}

std::string text_of(const AlertRule& rule) {
  return fmt::format("{} until {} for {} {}", rule.name(), rule.release, rule.hold.count(),
                     to_string(rule.severity));
}

TEST(Config, AnEmptyFileLeavesTheDefaults) {
  EXPECT_EQ(rules_of("").size(), default_alert_rules().size());
  EXPECT_EQ(rules_of("# nothing yet\n")[0].name(), default_alert_rules()[0].name());
}

TEST(Config, ARuleOfItsOwnComesBehindTheDefaults) {
  const auto rules = rules_of(R"(
[[rules]]
metric = "vrm_temperature"
limit = 105
release = 100.5
for = "2m"
severity = "critical"

[[rules]]
metric = "fan1_speed_rpm"
limit = 400
release = 500
for = 5
)");
  ASSERT_EQ(rules.size(), 9U);
  EXPECT_EQ(text_of(rules[7]), "vrm_temperature > 105 until 100.5 for 120 critical");
  EXPECT_EQ(text_of(rules[8]), "fan1_speed_rpm < 400 until 500 for 5 warning");
}

TEST(Config, SameMetricAndLimitTakesADefaultsPlace) {
  const auto rules = rules_of(
      "[[rules]]\nmetric = 'gpu_temperature'\nlimit = 85\nrelease = 80\n"
      "for = '1h'\nseverity = 'info'\n");
  ASSERT_EQ(rules.size(), 7U);
  EXPECT_EQ(text_of(rules[3]), "gpu_temperature > 85 until 80 for 3600 info");
}

TEST(Config, ADefaultIsSwitchedOff) {
  const auto rules = rules_of("[[rules]]\nmetric='gpu_load'\nlimit=95\nenabled=false\n");
  EXPECT_EQ(rules.size(), 6U);
  EXPECT_TRUE(
      std::ranges::none_of(rules, [](const AlertRule& rule) { return rule.metric == "gpu_load"; }));
}

TEST(Config, AllDefaultsAreReplaced) {
  const auto rules = rules_of(
      "replace_defaults = true\n"
      "[[rules]]\nmetric='gpu_load'\nlimit=50\n"
      "[[rules]]\nmetric='gpu_clock'\nlimit=50\nenabled=false\n");
  ASSERT_EQ(rules.size(), 1U);
  EXPECT_EQ(text_of(rules[0]), "gpu_load > 50 until 50 for 0 warning");
}

TEST(Config, ErrorsNameTheLineAndWhatIsAllowed) {
  EXPECT_EQ(error_of("[[rule]]\nmetric='a'\n"),
            "gpulse.toml:1: there is no \"rule\"; allowed are replace_defaults, rules, to, kafka, "
            "influxdb");
  EXPECT_EQ(error_of("\nreplace_defaults = 1\n"),
            "gpulse.toml:2: replace_defaults must be true or false");
  EXPECT_EQ(error_of("rules = 3\n"),
            "gpulse.toml:1: rules must be written as [[rules]], one for each");
  EXPECT_EQ(error_of("[[rules]]\nmetric='a'\nlimit=1\nseverety='info'\n"),
            "gpulse.toml:4: there is no \"severety\"; allowed are metric, limit, release, for, "
            "severity, enabled");
  EXPECT_EQ(error_of("[[rules]]\nlimit=1\n"), "gpulse.toml:1: a rule needs a metric");
  EXPECT_EQ(error_of("\n[[rules]]\nmetric='a'\n"), "gpulse.toml:2: a rule needs a limit");
  EXPECT_EQ(error_of("[[rules]]\nmetric='GPU Load'\nlimit=1\n"),
            "gpulse.toml:2: metric must be a metric's name in quotes, like \"gpu_temperature\"");
  EXPECT_EQ(error_of("[[rules]]\nmetric='a'\nlimit='85'\n"),
            "gpulse.toml:3: limit must be a number in the metric's unit");
  EXPECT_EQ(error_of("[[rules]]\nmetric='a'\nlimit=nan\n"),
            "gpulse.toml:3: limit must be a number in the metric's unit");
  EXPECT_EQ(error_of("[[rules]]\nmetric='a'\nlimit=1\nseverity='fatal'\n"),
            "gpulse.toml:4: severity must be \"info\", \"warning\" or \"critical\"");
  EXPECT_EQ(error_of("[[rules]]\nmetric='a'\nlimit=1\n[[rules]]\nmetric='a'\nlimit=1.0\n"),
            "gpulse.toml:4: the rule of line 1 has the same metric and limit");
  EXPECT_EQ(error_of("[[rules]]\nmetric='a'\nlimit=1\nenabled='no'\n"),
            "gpulse.toml:4: enabled must be true or false");
}

TEST(Config, DurationsThatAreNone) {
  for (const auto* text : {"'10'", "'s'", "'-3s'", "'1d'", "'99999999999999999999s'", "'30h'", "-1",
                           "1.5", "true", "'10 s'"}) {
    EXPECT_EQ(error_of(fmt::format("[[rules]]\nmetric='a'\nlimit=1\nfor={}\n", text)),
              "gpulse.toml:4: for must be whole seconds, or a text like \"10s\", \"2m\" or \"1h\", "
              "up to a day")
        << text;
  }
}

TEST(Config, BracketsWithoutANameAreAnErrorAndNoCrash) {
  for (const auto* text :
       {"\n[[[rules]]\n", "\n[ = ]\n", "\n[", "\n  [[ \t\nmetric='a'\n", "\n[[]]"}) {
    EXPECT_EQ(error_of(text), "gpulse.toml:2: brackets without a name in them") << text;
  }
}

TEST(Config, WhatIsNoTomlIsAnErrorWithItsLine) {
  EXPECT_TRUE(error_of("[[rules]]\nmetric = \n").starts_with("gpulse.toml:2: "));
  EXPECT_EQ(error_of("# \xff\xfe\n"), "gpulse.toml:1: Encountered invalid utf-8 sequence");
}

// toml++ by itself goes wrong here.
TEST(Config, LettersOutsideASCIIAreAnErrorOrText) {
  for (const std::string_view text :
       {"\nr\xEF\xBB\x9F = 1\n", "\n\xC3\xA9 = 1\n", "\n[[rules]] \xEF\xBB\xBE\n"}) {
    EXPECT_TRUE(error_of(text).starts_with("gpulse.toml:2: ")) << text << error_of(text);
  }
  EXPECT_TRUE(
      error_of("# größe\n[[rules]]\nmetric = \"größe\"\n").ends_with("\"gpu_temperature\""));
}

TEST(Config, PlacesToSendTo) {
  const auto config = parse_config(R"(
to = ["kafka://10.0.0.5/gpu-metrics", "influxdb://10.0.0.6/gpulse/gpu-metrics"]
[kafka]
user = "produce"
password_file = "kafka-password"
[influxdb]
token_file = "token"
)",
                                   "gpulse.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->to, (std::vector<std::string>{"kafka://10.0.0.5/gpu-metrics",
                                                  "influxdb://10.0.0.6/gpulse/gpu-metrics"}));
  EXPECT_EQ(config->kafka,
            (Config::Options{{"user", "produce"}, {"password_file", "kafka-password"}}));
  EXPECT_EQ(config->influxdb, (Config::Options{{"token_file", "token"}}));
  EXPECT_EQ(config->rules.size(), default_config().rules.size());
}

TEST(Config, PlacesThatAreWrittenWrongly) {
  EXPECT_EQ(error_of("to = \"kafka://a/b\""),
            R"(gpulse.toml:1: to must be a list of addresses: ["kafka://host:9092/topic"])");
  EXPECT_EQ(error_of("to = [1]"),
            R"(gpulse.toml:1: to must be a list of addresses: ["kafka://host:9092/topic"])");
  EXPECT_EQ(error_of("[influxdb]\npassword_file = \"x\""),
            "gpulse.toml:2: there is no \"password_file\"; allowed are token_file, ca_file");
  EXPECT_EQ(error_of("kafka = 1"), "gpulse.toml:1: kafka must be a table: [kafka]");
  EXPECT_EQ(error_of("[kafka]\nuser = 7"), "gpulse.toml:2: user must be a text in quotes");
}

}  // namespace
}  // namespace gpulse
