// Values of agents that remember, learnt by whole runs.
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/run_processes.h"

namespace troupe::testing {
namespace {

// What greedy agents are paid at the end of deploy/experiments/memory_vdn with two cues.
double ReturnOfMemory(const std::string& cell) {
  TemporaryFolder folder;
  Process learner("learner", {"--experiment=" TROUPE_SOURCE_DIR "/deploy/experiments/memory_vdn.textproto",
                              absl::StrCat("--run_dir=", folder / "run"), "--local_workers=1", "--no_final_evaluation",
                              absl::StrCat("--set=policy.recurrent_cell=", cell), "--set=compute.learner_threads=1",
                              "--set=environment.settings.num_cues=2", "--set=total_env_steps=120000",
                              "--set=q_learning.epsilon_env_steps=50000", "--set=evaluation.interval_env_steps=120000",
                              "--set=evaluation.episodes=500"});
  EXPECT_EQ(learner.Wait(absl::Minutes(4)), 0) << learner.output();
  double value = -1;
  const size_t at = learner.output().rfind("episode_return ");
  if (at == std::string::npos) return value;
  EXPECT_TRUE(
      absl::SimpleAtod(learner.output().substr(at + 15, learner.output().find(' ', at + 15) - at - 15), &value));
  return value;
}

TEST(Slow, RecurrentAgentsOfVdnSolveMemoryAndFeedForwardOnesDoNot) {
  EXPECT_GE(ReturnOfMemory("GRU"), 0.99) << "1 is the optimum";
  EXPECT_LE(ReturnOfMemory("FEED_FORWARD"), 0.58) << "0.5 is chance";
}

}  // namespace
}  // namespace troupe::testing
