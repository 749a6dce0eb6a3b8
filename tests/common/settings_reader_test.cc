#include "common/config/settings_reader.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using testing::HasSubstr;

TEST(SettingsReaderTest, ReadsEveryKind) {
  SettingsReader reader({{"rate", "2.5"}, {"count", "-3"}, {"on", "true"}, {"label", "x y"}, {"mode", "B"}});
  EXPECT_EQ(reader.Number("rate", 1, 0, 10, ""), 2.5);
  EXPECT_EQ(reader.Integer("count", 1, -5, 5, ""), -3);
  EXPECT_TRUE(reader.Boolean("on", false, ""));
  EXPECT_EQ(reader.Text("label", "", ""), "x y");
  EXPECT_EQ(reader.Choice("mode", "A", {"A", "B"}, ""), "B");
  EXPECT_TRUE(reader.Finish().ok()) << reader.Finish();
}

TEST(SettingsReaderTest, FallsBackWhenAbsent) {
  SettingsReader reader({});
  EXPECT_EQ(reader.Number("rate", 1.5, 0, 10, ""), 1.5);
  EXPECT_EQ(reader.Integer("count", 4, 0, 5, ""), 4);
  EXPECT_TRUE(reader.Boolean("on", true, ""));
  EXPECT_EQ(reader.Text("label", "l", ""), "l");
  EXPECT_EQ(reader.Choice("mode", "A", {"A", "B"}, ""), "A");
  EXPECT_TRUE(reader.Finish().ok());
}

TEST(SettingsReaderTest, AdmitsBothEndsOfARange) {
  SettingsReader reader({{"low", "0"}, {"high", "10"}});
  EXPECT_EQ(reader.Number("low", 5, 0, 10, ""), 0);
  EXPECT_EQ(reader.Integer("high", 5, 0, 10, ""), 10);
  EXPECT_TRUE(reader.Finish().ok());
}

std::string Refusal(const std::string& name, const std::string& value) {
  const std::map<std::string, std::string> settings = {{name, value}};
  SettingsReader reader(settings);
  reader.Number("rate", 1, 0, 10, "");
  reader.Integer("count", 1, 0, 10, "");
  reader.Boolean("on", true, "");
  reader.Choice("mode", "A", {"A", "B"}, "");
  EXPECT_EQ(reader.Finish().code(), absl::StatusCode::kInvalidArgument);
  return std::string(reader.Finish().message());
}

TEST(SettingsReaderTest, NamesFieldValueAndExpectation) {
  EXPECT_EQ(Refusal("rate", "11"), "environment.settings.rate: \"11\" is not a number in [0, 10]");
  EXPECT_EQ(Refusal("count", "1.5"), "environment.settings.count: \"1.5\" is not a whole number in [0, 10]");
  EXPECT_EQ(Refusal("on", "perhaps"), "environment.settings.on: \"perhaps\" is not true or false");
  EXPECT_EQ(Refusal("mode", "C"), "environment.settings.mode: \"C\" is not one of A | B");
}

TEST(SettingsReaderTest, RefusesWhatIsNoNumber) {
  for (const char* value : {"", "x", "1x", "nan", "inf", "-inf", "1e999"}) {
    EXPECT_THAT(Refusal("rate", value), HasSubstr("environment.settings.rate")) << value;
  }
}

TEST(SettingsReaderTest, RefusesUnknownSettingsWithTheNearestName) {
  EXPECT_EQ(Refusal("raet", "1"), "environment.settings.raet: unknown setting; did you mean \"rate\"?");
  EXPECT_EQ(Refusal("something_else_altogether", "1"),
            "environment.settings.something_else_altogether: unknown setting");
}

TEST(SettingsReaderTest, DescribesWhatWasAsked) {
  SettingsReader reader({});
  reader.Number("rate", 1.5, 0, 10, "cars per second");
  reader.Boolean("on", true, "whether");
  EXPECT_THAT(reader.Describe(), testing::AllOf(HasSubstr("rate"), HasSubstr("default 1.5"), HasSubstr("[0, 10]"),
                                                HasSubstr("cars per second"), HasSubstr("\non"), HasSubstr("whether")));
}

TEST(NearestNameTest, FindsTheSmallestEditDistanceWithinReach) {
  EXPECT_EQ(NearestName("clpi", {"clip", "epochs"}), "clip");
  EXPECT_EQ(NearestName("epoch", {"clip", "epochs"}), "epochs");
  EXPECT_EQ(NearestName("zzzzzzzz", {"clip", "epochs"}), "");
  EXPECT_EQ(NearestName("clip", {}), "");
}

}  // namespace
}  // namespace troupe
