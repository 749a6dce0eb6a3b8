#include "actor_worker/environments/external/external_settings.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(ExternalSettingsTest, WordsArePartedAsAShellWould) {
  EXPECT_THAT(*SplitWords("  a  bc\td "), ElementsAre("a", "bc", "d"));
  EXPECT_THAT(*SplitWords("-c 'a \"b\" c' \"d 'e'\" f''g ''"), ElementsAre("-c", "a \"b\" c", "d 'e'", "fg", ""));
  EXPECT_THAT(*SplitWords(""), ElementsAre());
  EXPECT_EQ(SplitWords("a 'b").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ExternalSettingsTest, TheProgramIsLookedForInPathAndItsOptionsFollow) {
  const auto settings = ReadExternalSettings({{"server_program", "sh -e"}, {"server_options", "x 'y z'"}});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_THAT(settings->command, ElementsAre(HasSubstr("/sh"), "-e", "x", "y z"));
}

TEST(ExternalSettingsTest, ArgumentsGoToTheEnvironmentByTheirNames) {
  const auto settings = ReadExternalSettings(
      {{"server_program", "sh"}, {"argument_max_cycles", "25"}, {"argument_name", "a b"}, {"processes", "3"}});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_THAT(settings->arguments, UnorderedElementsAre(Pair("max_cycles", "25"), Pair("name", "a b")));
  EXPECT_EQ(settings->processes, 3);
}

TEST(ExternalSettingsTest, RefusesByName) {
  const auto refusal = [](const SettingsMap& settings) {
    return std::string(ReadExternalSettings(settings).status().message());
  };
  EXPECT_THAT(refusal({{"timeout_second", "3"}}), HasSubstr("environment.settings.timeout_second"));
  EXPECT_THAT(refusal({{"timeout_second", "3"}}), HasSubstr("\"timeout_seconds\""));
  EXPECT_THAT(refusal({{"processes", "0"}}), HasSubstr("environment.settings.processes"));
  EXPECT_THAT(refusal({{"server_program", " "}}), HasSubstr("environment.settings.server_program"));
  EXPECT_THAT(refusal({{"server_program", "no_such_program"}}), HasSubstr("no no_such_program in the folders of PATH"));
  EXPECT_THAT(refusal({{"server_program", "/no/such"}}), HasSubstr("no runnable /no/such"));
  EXPECT_THAT(refusal({{"server_options", "a 'b"}}), HasSubstr("environment.settings.server_options"));
  EXPECT_THAT(refusal({{"argument_a=b", "3"}}), HasSubstr("environment.settings.argument_a=b"));
  EXPECT_THAT(refusal({{"argument_", "3"}}), HasSubstr("environment.settings.argument_"));
  EXPECT_THAT(refusal({{"argument_a", std::string(1, '\0')}}), HasSubstr("environment.settings.argument_a"));
}

}  // namespace
}  // namespace troupe
