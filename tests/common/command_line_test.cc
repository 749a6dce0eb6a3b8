#include <cstdint>
#include <optional>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "common/command_line/command.h"
#include "common/command_line/command_table.h"
#include "common/command_line/version.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

ABSL_FLAG(int32_t, test_count, 7, "How many.");
ABSL_FLAG(bool, test_switch, false, "Whether.");
ABSL_FLAG(std::optional<int32_t>, test_maybe, std::nullopt, "A number, or what the file says.");
ABSL_FLAG(std::string, test_elsewhere, "", "A flag of another command.");

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const Command kCommand = {
    .name = "program play",
    .usage = {"FILE [flags]"},
    .text = "Plays.",
    .flags = {"test_count=N", "test_switch", "test_maybe=N", "set FIELD=VALUE", "vary FIELD=A,B,…"},
    .examples = {"program play file --test_count=3"},
    .max_words = 1};

class CommandLineTest : public testing::Test {
 protected:
  absl::StatusOr<CommandWords> Read(std::vector<std::string> words) {
    words.insert(words.begin(), "program");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    return ReadCommandLine(static_cast<int>(argv.size()), argv.data(), kCommand);
  }
  std::string Refusal(const std::vector<std::string>& words) {
    const absl::Status status = Read(words).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return std::string(status.message());
  }

  absl::FlagSaver saver_;
};

TEST_F(CommandLineTest, WhatMayBeGivenAgainIsKeptInOrder) {
  const auto words = Read({"--vary", "a=1,2", "--set=b=3", "--vary=c=4", "--set", "d=5,6"});
  ASSERT_TRUE(words.ok()) << words.status();
  EXPECT_THAT(words->varied, ElementsAre("a=1,2", "c=4"));
  EXPECT_THAT(words->overrides, ElementsAre("b=3", "d=5,6"));
  EXPECT_THAT(Refusal({"--vary"}), HasSubstr("--vary: expected FIELD=A,B,… after it"));
}

TEST_F(CommandLineTest, ReadsValuesBesideAndAfterTheirFlags) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"--test_count=3", "--test_maybe=4", "--test_switch"},
                                             {"-test_count", "3", "--test_maybe", "4", "--test_switch=true"}}) {
    absl::SetFlag(&FLAGS_test_switch, false);
    ASSERT_TRUE(Read(words).ok());
    EXPECT_EQ(absl::GetFlag(FLAGS_test_count), 3);
    EXPECT_EQ(absl::GetFlag(FLAGS_test_maybe), 4);
    EXPECT_TRUE(absl::GetFlag(FLAGS_test_switch));
  }
  ASSERT_TRUE(Read({"--notest_switch"}).ok());
  EXPECT_FALSE(absl::GetFlag(FLAGS_test_switch));
}

TEST_F(CommandLineTest, KeepsWordsAndOverridesInOrder) {
  const auto read = Read({"--set", "a=1,2", "--set=b=3", "--", "--file"});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_THAT(read->overrides, ElementsAre("a=1,2", "b=3"));
  EXPECT_THAT(read->words, ElementsAre("--file"));
}

TEST_F(CommandLineTest, NamesWhatMakesNoSense) {
  EXPECT_EQ(Refusal({"--test_cuont=3"}),
            "--test_cuont: there is no such flag of program play; did you mean \"--test_count\"?");
  EXPECT_EQ(Refusal({"--count=3"}), "--count: there is no such flag of program play; did you mean \"--test_count\"?");
  EXPECT_EQ(Refusal({"--test_elsewhere=x"}), "--test_elsewhere: is a flag of another command, not of program play");
  EXPECT_EQ(Refusal({"--test_count=abc"}), "--test_count=abc: expected a whole number");
  EXPECT_EQ(Refusal({"--test_maybe=1.5"}), "--test_maybe=1.5: expected a whole number");
  EXPECT_EQ(Refusal({"--test_switch=perhaps"}), "--test_switch=perhaps: expected true or false");
  EXPECT_EQ(Refusal({"--test_count"}), "--test_count: expected a whole number after it");
  EXPECT_EQ(Refusal({"--set"}), "--set: expected FIELD=VALUE after it");
  EXPECT_EQ(Refusal({"one", "two"}), "unexpected \"two\"");
}

TEST_F(CommandLineTest, HelpTeachesUsageFlagsDefaultsAndAnExample) {
  const std::string help = FormatHelp(kCommand);
  EXPECT_THAT(help, HasSubstr("usage: program play FILE [flags]\n"));
  EXPECT_THAT(help, HasSubstr("  --test_count=N              How many (7).\n"));
  EXPECT_THAT(help, HasSubstr("  --test_switch               Whether.\n"));
  EXPECT_THAT(help, HasSubstr("  --set FIELD=VALUE           Override"));
  EXPECT_THAT(help, HasSubstr("example\n  program play file --test_count=3\n"));
  EXPECT_THAT(help, Not(HasSubstr("test_elsewhere")));
}

// What completion and manual pages are made of.
TEST_F(CommandLineTest, ACommandDescribesItselfForPrograms) {
  const CommandRow row = RowOf(kCommand);
  EXPECT_EQ(row.name, "program play");
  EXPECT_EQ(WordOf(row), "play");
  EXPECT_TRUE(row.takes_words);
  ASSERT_EQ(row.flags.size(), 5);
  EXPECT_EQ(row.flags[0], (CommandRow::Flag{"test_count", "N", "How many (7)."}));
  EXPECT_EQ(row.flags[1], (CommandRow::Flag{"test_switch", "", "Whether."}));
  EXPECT_EQ(row.flags[3].value, "FIELD=VALUE");
  const auto read = ParseCommandRow(FormatCommandRow(row));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, row);
  for (const char* text : {"", "usage: program play FILE", "{}", R"({"name": 3})"}) {
    EXPECT_EQ(ParseCommandRow(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(VersionTest, IsTheProjectsAndSaysWhatItWasBuiltWith) {
  const std::string text = FormatVersion("program", "LibFoo 3");
  EXPECT_THAT(text, HasSubstr("program of Troupe " + ProjectVersion() + "\nbuilt with "));
  for (const char* part : {"gRPC 1.", "Protobuf 3.", "Abseil ", ", LibFoo 3\n"}) EXPECT_THAT(text, HasSubstr(part));
}

}  // namespace
}  // namespace troupe
