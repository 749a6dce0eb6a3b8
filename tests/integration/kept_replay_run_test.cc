// Runs with a replay that is kept in the run folder, killed and gone on with.
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/integration/run_processes.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;

// 256 environment steps per update, checkpoints every 20; the replay holds the last forty updates or so.
constexpr char kExperiment[] =
    "name: 'kept' seed: 7 total_env_steps: 15360 environment { name: 'grid_world' settings { key: 'size' value: '3' } "
    "} "
    "collection { mode: PIPELINED num_shards: 4 copies_per_shard: 4 rollout_length: 16 sequence_length: 8 } "
    "policy { hidden_sizes: [16] recurrent_cell: GRU recurrent_size: 8 } algorithm { name: 'qmix' } "
    "q_learning { learning_starts: 512 gradient_steps: 2 minibatch_size: 64 replay_bytes: 1500000 priority_exponent: "
    "0.6 "
    "importance_exponent: 0.5 final_importance_exponent: 0.5 mixer_embedding: 4 hypernetwork_size: 8 } "
    "compute { device: CPU learner_threads: 1 precision: F32 } checkpoint { interval_env_steps: 5120 }";

struct KeptRun : SmallRun {
  KeptRun() : SmallRun("PIPELINED", 1) { std::ofstream(folder / "e.textproto") << kExperiment; }
};

// Of a run that ends after so many updates and is then gone on with to its 60th.
std::string WeightsInTwoLegs(int first_updates, const std::string& keep) {
  KeptRun run;
  const auto first = run.Learner(1, {absl::StrCat("--set=total_env_steps=", first_updates * 256), keep});
  EXPECT_EQ(first->Wait(), 0) << first->output() << run.Logs();
  const auto second = run.Learner(1, {keep});
  EXPECT_EQ(second->Wait(), 0) << second->output() << run.Logs();
  return second->WordAfter("weights sha256 ");
}

TEST(KeptReplayRun, AKilledLearnerGoesOnWithTheReplayItHad) {
  const std::string keep = "--set=q_learning.keep_replay=true";
  KeptRun run;
  const auto killed = run.Learner(2, {keep});
  ASSERT_TRUE(run.Reaches(27)) << killed->output() << run.Logs();
  const std::vector<pid_t> workers = killed->Children();
  killed->Signal(SIGKILL);
  EXPECT_NE(killed->Wait(absl::Seconds(20)), -1);
  EXPECT_THAT(killed->output(), HasSubstr("the replay is kept in "));
  for (const pid_t worker : workers) {
    for (int i = 0; i < 1000 && IsAlive(worker); ++i) absl::SleepFor(absl::Milliseconds(10));
    EXPECT_FALSE(IsAlive(worker));
  }
  const auto resumed = run.Learner(1, {keep});
  EXPECT_EQ(resumed->Wait(), 0) << resumed->output() << run.Logs();
  int updates = 0;
  ASSERT_TRUE(absl::SimpleAtoi(resumed->WordAfter("goes on from update "), &updates)) << resumed->output();
  ASSERT_GE(updates, 20) << "a checkpoint came before the kill";
  EXPECT_THAT(resumed->output(), HasSubstr("the replay is as it was: "));
  // As a run that nobody killed where that checkpoint was written.
  const std::string weights = resumed->WordAfter("weights sha256 ");
  EXPECT_EQ(weights.size(), 64);
  EXPECT_EQ(weights, WeightsInTwoLegs(updates, keep));
  EXPECT_NE(weights, WeightsInTwoLegs(updates, "--set=q_learning.keep_replay=false"))
      << "a replay that fills anew gives others";
}

TEST(KeptReplayRun, RecurrentValuesFromAPrioritisedReplayDoNotDependOnTheNumberOfWorkers) {
  const auto weights_with = [](int workers) {
    KeptRun run;
    const auto learner = run.Learner(workers, {"--set=total_env_steps=5120"});
    EXPECT_EQ(learner->Wait(), 0) << learner->output() << run.Logs();
    return learner->WordAfter("weights sha256 ");
  };
  const std::string one = weights_with(1);
  EXPECT_EQ(one.size(), 64);
  EXPECT_EQ(weights_with(3), one);
}

}  // namespace
}  // namespace troupe::testing
