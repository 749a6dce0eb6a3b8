// What shells make of the scripts.
#include <sys/wait.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/processes/piped_process.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/commands/completion.h"
#include "tests/common/temporary_folder.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

const std::vector<ProgramCommands> kPrograms = {
    {"learner",
     "trains",
     {{.name = "learner train",
       .usage = {"--experiment=FILE"},
       .text = "Trains.\n.not a request; it's [so]: really\ni = 1 … 2",
       .flags = {{"experiment", "FILE", "What."},
                 {"device", "auto|cpu|cuda", "Where: it's said [here]."},
                 {"fresh", "", "Anew."},
                 {"set", "FIELD=VALUE", "Override."}},
       .examples = {"learner train --fresh"}},
      {.name = "learner explain", .text = "Explains.", .takes_words = true}}},
    {"actor_worker",
     "collects",
     {{.name = "actor_worker work", .text = "Works."},
      {.name = "actor_worker environments", .text = "Lists.", .takes_words = true}}}};
const CompletionWords kWords = {{"ppo", "ppo.clip", "seed"}, {"mappo"}, {"grid_world", "retail"}};

std::string OutputOf(const std::vector<std::string>& command) {
  const auto child = PipedProcess::Start(command);
  if (!child.ok()) return "";
  std::string output;
  EXPECT_TRUE((*child)->ReadToEnd([] { return false; }, &output).ok());
  EXPECT_EQ((*child)->Wait(), 0) << output;
  return output;
}

// What bash offers at the end of the line.
std::vector<std::string> Offered(const std::string& line) {
  TemporaryFolder folder;
  std::ofstream(folder / "completion") << FormatBashCompletion(kPrograms, kWords);
  std::ofstream(folder / "my_experiment.textproto") << "";
  std::ofstream(folder / "ask")
      << "compopt() { :; }; cd " << folder.path() << "; source ./completion; COMP_LINE='" << line
      << "'; COMP_POINT=${#COMP_LINE}; COMP_CWORD=1; _troupe; printf '%s\\n' \"${COMPREPLY[@]}\"";
  return absl::StrSplit(OutputOf({"/bin/bash", folder / "ask"}), '\n', absl::SkipWhitespace());
}

TEST(BashCompletionTest, OffersCommandsFlagsAndChoices) {
  EXPECT_THAT(Offered("learner "), UnorderedElementsAre("train", "explain"));
  EXPECT_THAT(Offered("build/bin/learner ex"), ElementsAre("explain"));
  EXPECT_THAT(Offered("actor_worker w"), ElementsAre("work"));
  EXPECT_THAT(Offered("learner train --"),
              UnorderedElementsAre("--experiment=", "--device=", "--fresh", "--set", "--help"));
  EXPECT_THAT(Offered("learner --fr"), ElementsAre("--fresh"));  // the command may be left out
  EXPECT_THAT(Offered("learner train --device=c"), UnorderedElementsAre("cpu", "cuda"));
  EXPECT_THAT(Offered("learner train --device a"), ElementsAre("auto"));
}

TEST(BashCompletionTest, OffersPathsFieldsAndNames) {
  EXPECT_THAT(Offered("learner train --experiment=my_"), ElementsAre("my_experiment.textproto"));
  EXPECT_THAT(Offered("learner train --set ppo."), ElementsAre("ppo.clip="));
  EXPECT_THAT(Offered("learner train --set=se"), ElementsAre("seed="));
  EXPECT_THAT(Offered("learner train --set ppo.clip=0"), IsEmpty());
  EXPECT_THAT(Offered("learner explain se"), ElementsAre("seed"));
  EXPECT_THAT(Offered("actor_worker environments r"), ElementsAre("retail"));
}

TEST(ZshCompletionTest, IsAFileOfItsFunctions) {
  const std::string text = FormatZshCompletion(kPrograms, kWords);
  EXPECT_THAT(text, ::testing::StartsWith("#compdef learner actor_worker\n"));
  EXPECT_THAT(text, HasSubstr(R"('--device=[Where\: it'\''s said \[here\].]:auto|cpu|cuda:(auto cpu cuda)')"));
  EXPECT_THAT(text, HasSubstr("'--experiment=[What.]:FILE:_files'"));
  if (access("/usr/bin/zsh", X_OK) != 0) GTEST_SKIP() << "no zsh";
  TemporaryFolder folder;
  std::ofstream(folder / "_learner") << text;
  OutputOf({"/usr/bin/zsh", "-n", folder / "_learner"});
}

TEST(ManualPageTest, NothingInItIsARequestThatWasNotMeant) {
  const std::string page = FormatManualPage(kPrograms[0], "1.2");
  EXPECT_THAT(page, ::testing::StartsWith(".TH LEARNER 1 \"\" \"Troupe 1.2\"\n"));
  EXPECT_THAT(page, HasSubstr("\n\\&.not a request; it's [so]: really\ni = 1 \\[u2026] 2\n"));
  EXPECT_THAT(page, HasSubstr(".TP\n\\fB\\-\\-device\\fR=\\fIauto|cpu|cuda\\fR\nWhere: it's said [here].\n"));
  if (access("/usr/bin/groff", X_OK) != 0) GTEST_SKIP() << "no groff";
  TemporaryFolder folder;
  std::ofstream(folder / "learner.1") << page;
  EXPECT_THAT(OutputOf({"/usr/bin/groff", "-man", "-Tutf8", "-ww", "-z", folder / "learner.1"}), IsEmpty());
}

}  // namespace
}  // namespace troupe
