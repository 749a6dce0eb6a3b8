// `learner plan`, and the commands that look things up, as a person meets them.
#include <sys/wait.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/run_processes.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Outcome {
  int exit_status;
  std::string output;
};

Outcome Learner(const std::vector<std::string>& arguments) {
  Process process("learner", arguments);
  const int wait_status = process.Wait();
  return {WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1, process.output()};
}

TEST(PlanTest, TellsWhatARunTakesAndWhatHoldsItUp) {
  SmallRun run("SYNCHRONOUS", 40);
  const Outcome outcome = Learner({"plan", run.folder / "e.textproto", "--local_workers=3"});
  EXPECT_EQ(outcome.exit_status, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("environment grid_world: 2 × "));
  EXPECT_THAT(outcome.output, HasSubstr("SYNCHRONOUS, 4 shards × 4 copies × 16 steps = 256 steps per update"));
  EXPECT_THAT(outcome.output, HasSubstr("40 for 10,240 steps"));
  EXPECT_THAT(outcome.output, HasSubstr("4 do not divide among 3 workers"));
  EXPECT_THAT(outcome.output, HasSubstr("updates with 3 local workers: "));
  EXPECT_THAT(outcome.output, HasSubstr("held up by"));
  // Nothing is left of the trial.
  EXPECT_FALSE(std::filesystem::exists(run.folder / "run"));
}

TEST(PlanTest, RefusesWhatDoesNotFitOrMakesNoSense) {
  SmallRun run("SYNCHRONOUS", 1);
  Outcome outcome = Learner({"plan", run.folder / "e.textproto", "--set", "collection.num_shards=4096", "--set",
                             "collection.copies_per_shard=1000", "--set", "collection.rollout_length=500"});
  EXPECT_EQ(outcome.exit_status, 2);
  EXPECT_THAT(outcome.output, HasSubstr("two batches of 4096 shards × 1000 copies × 500 steps"));
  EXPECT_THAT(outcome.output, Not(HasSubstr("trial")));
  outcome = Learner({"plan", run.folder / "e.textproto", "--set", "evaluation.best_by=sucess"});
  EXPECT_EQ(outcome.exit_status, 2);
  EXPECT_THAT(outcome.output, HasSubstr("did you mean \"success\"?"));
  EXPECT_EQ(Learner({"plan"}).exit_status, 2);
  EXPECT_EQ(Learner({"plan", "/nonexistent"}).exit_status, 2);
}

TEST(PlanTest, AdviceIsGivenWhenARunBegins) {
  SmallRun run("SYNCHRONOUS", 6);
  const auto learner = run.Learner(1, {"--set", "ppo.vtrace_c_clip=3"});
  EXPECT_EQ(learner->Wait(), 0) << learner->output();
  EXPECT_THAT(learner->output(),
              HasSubstr("warning: ppo.vtrace_c_clip: decides nothing without ppo.lag_correction V_TRACE"));
}

TEST(LookupTest, EveryCommandDescribesItselfToPeopleAndPrograms) {
  for (const char* program : {"learner", "actor_worker"}) {
    Process words(program, {"command_words"});
    EXPECT_EQ(words.Wait(), 0);
    const std::vector<std::string> commands = absl::StrSplit(words.output(), '\n', absl::SkipWhitespace());
    EXPECT_GE(commands.size(), 5);
    for (const std::string& command : commands) {
      Process help(program, {command, "--help"}), row(program, {command, "--describe_command"});
      EXPECT_EQ(help.Wait(), 0) << command;
      EXPECT_EQ(row.Wait(), 0) << command;
      EXPECT_THAT(help.output(), HasSubstr("usage: "));
      EXPECT_THAT(row.output(), HasSubstr("\"usage\"")) << command;
    }
  }
}

TEST(LookupTest, SettingsAlgorithmsAndEnvironmentsAreExplained) {
  Outcome outcome = Learner({"explain", "clip", "collection.mode"});
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_THAT(outcome.output, HasSubstr("ppo.clip\n"));
  EXPECT_THAT(outcome.output, HasSubstr("PIPELINED"));
  outcome = Learner({"explain", "ppo.clpi"});
  EXPECT_EQ(outcome.exit_status, 2);
  EXPECT_THAT(outcome.output, HasSubstr("did you mean \"ppo.clip\"?"));
  outcome = Learner({"algorithms", "qmix"});
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_THAT(outcome.output, HasSubstr("settings: q_learning"));
  outcome = Learner({"algorithms", "qmxi"});
  EXPECT_EQ(outcome.exit_status, 2);
  EXPECT_THAT(outcome.output, HasSubstr("did you mean \"qmix\"?"));
  outcome = Learner({"environments", "grid_world"});
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_THAT(outcome.output, HasSubstr("baselines"));
}

TEST(LookupTest, ARunIsInspected) {
  SmallRun run("SYNCHRONOUS", 2);
  const auto learner = run.Learner(1);
  EXPECT_EQ(learner->Wait(), 0) << learner->output();
  const Outcome outcome = Learner({"inspect", run.folder / "run"});
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_THAT(outcome.output, HasSubstr("512 of 512 environment steps, 100.0 %"));
  EXPECT_THAT(outcome.output, HasSubstr("now          finished"));
  EXPECT_THAT(outcome.output, HasSubstr("final.safetensors: after 512 steps"));
}

TEST(LookupTest, ScriptsForShellsAndPagesForManAreMadeOfBothPrograms) {
  for (const char* shell : {"bash", "zsh"}) {
    const Outcome outcome = Learner({"completion", shell});
    EXPECT_EQ(outcome.exit_status, 0) << outcome.output;
    for (const char* words : {"trial_seconds", "cross_play", "grid_world", "ppo.clip", "qmix", "sweep"}) {
      EXPECT_THAT(outcome.output, HasSubstr(words)) << shell;
    }
  }
  EXPECT_EQ(Learner({"completion", "fish"}).exit_status, 2);
  const Outcome page = Learner({"manual", "actor_worker"});
  EXPECT_EQ(page.exit_status, 0);
  EXPECT_THAT(page.output, HasSubstr(".SS evaluate\n"));
}

}  // namespace
}  // namespace troupe::testing
