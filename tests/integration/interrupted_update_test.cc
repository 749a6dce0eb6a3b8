// A learner that is asked to stop in the middle of a long update.
#include <sys/wait.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/run_processes.h"
#include "tests/integration/secured_run.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;

// So many minibatches that an update takes seconds, in which whoever waits for its beginning is awake in time; learning
// rates that do not depend on where the run is to end.
const std::vector<std::string> kLongUpdates = {"--set=ppo.epochs=1000",
                                               "--set=ppo.minibatch_size=2",
                                               "--set=critic.hidden_sizes=128,128",
                                               "--set=ppo.anneal_learning_rate=false",
                                               "--set=evaluation.interval_env_steps=0",
                                               "--metrics=127.0.0.1:0"};

// Waits until the batch of update `number` (1, 2, …) is complete, with which the update begins.
bool UpdateBegins(const Process& learner, int number) {
  const std::string url = learner.WordAfter("metrics      ");
  return Eventually([&] {
    return absl::StrContains(ReadMetrics(url), absl::StrCat("\ntroupe_env_steps_total ", 256 * number, "\n"));
  });
}

TEST(InterruptedUpdate, SigtermEndsItAndTheRunGoesOnAsOneThatStoppedBefore) {
  const auto with = [](std::vector<std::string> more) { return Joined(kLongUpdates, more); };
  SmallRun whole("SYNCHRONOUS", 1), cut("SYNCHRONOUS", 2);
  {
    const auto learner = whole.Learner(1, kLongUpdates);
    ASSERT_EQ(learner->Wait(), 0) << learner->output() << whole.Logs();
  }
  {
    const auto learner = cut.Learner(1, kLongUpdates);
    ASSERT_TRUE(learner->Prints("metrics      ")) << learner->output();
    ASSERT_TRUE(cut.Reaches(1)) << learner->output() << cut.Logs();
    ASSERT_TRUE(UpdateBegins(*learner, 2)) << learner->output();
    learner->Signal(SIGTERM);
    ASSERT_EQ(learner->Wait(), 0) << learner->output();
    EXPECT_THAT(learner->output(), HasSubstr("update 2 was under way and is taken back"));
    EXPECT_THAT(learner->output(), HasSubstr("stopped by request after 256 environment steps"));
  }
  const auto go_on = [&](const SmallRun& run) {
    const auto learner = run.Learner(1, with({"--set=total_env_steps=512"}));
    EXPECT_EQ(learner->Wait(), 0) << learner->output() << run.Logs();
    EXPECT_THAT(learner->output(), HasSubstr("goes on from update 1"));
    EXPECT_EQ(run.RecordedUpdates(), (std::vector<int>{1, 2}));
    return learner->WordAfter("weights sha256 ");
  };
  const std::string expected = go_on(whole);
  EXPECT_EQ(expected.size(), 64u) << expected;
  EXPECT_EQ(go_on(cut), expected);
}

TEST(InterruptedUpdate, ASecondSignalDoesNotWaitForTheMinibatchEither) {
  SmallRun run("SYNCHRONOUS", 1);
  const auto learner = run.Learner(1, kLongUpdates);
  ASSERT_TRUE(learner->Prints("metrics      ")) << learner->output();
  ASSERT_TRUE(UpdateBegins(*learner, 1)) << learner->output();
  learner->Signal(SIGSTOP);
  learner->Signal(SIGINT);
  learner->Signal(SIGTERM);
  learner->Signal(SIGCONT);
  const int status = learner->Wait();
  ASSERT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 130) << learner->output();
}

}  // namespace
}  // namespace troupe::testing
