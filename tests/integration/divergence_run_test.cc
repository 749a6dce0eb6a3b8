// A run whose critic's loss overflows: ten hidden layers with a learning rate of 1. It goes back until the rate is
// small enough, and learns then.
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/integration/run_processes.h"

namespace troupe::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// 256 environment steps per update, 30 updates.
constexpr char kExperiment[] =
    "name: 'diverging' seed: 7 total_env_steps: 7680 environment { name: 'grid_world' settings { key: 'size' value: "
    "'3' "
    "} } "
    "collection { mode: PIPELINED num_shards: 4 copies_per_shard: 4 rollout_length: 16 } policy { hidden_sizes: [16] } "
    "critic { hidden_sizes: [64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64] } "
    "ppo { epochs: 2 minibatch_size: 128 critic_learning_rate: 1 max_gradient_norm: 0 value_loss: SQUARED "
    "clip_value: false value_normalization: false } "
    "compute { device: CPU learner_threads: 1 precision: F32 } checkpoint { interval_env_steps: 2560 }";

struct DivergingRun : SmallRun {
  DivergingRun() : SmallRun("PIPELINED", 1) { std::ofstream(folder / "e.textproto") << kExperiment; }
};

// Of a run with so many workers, which is stopped after each of these updates.
std::string WeightsOf(int workers, const std::vector<int>& stops) {
  DivergingRun run;
  for (const int updates : stops) {
    const auto leg = run.Learner(workers, {absl::StrCat("--set=total_env_steps=", updates * 256)});
    EXPECT_EQ(leg->Wait(), 0) << leg->output() << run.Logs();
  }
  const auto learner = run.Learner(workers);
  EXPECT_EQ(learner->Wait(), 0) << learner->output() << run.Logs();
  EXPECT_THAT(learner->output(),
              HasSubstr("the networks go back to where they were after update 0, and learning rates"));
  return learner->WordAfter("weights sha256 ");
}

TEST(DivergenceRun, GoesBackUntilItLearnsAndShowsItsBatches) {
  DivergingRun run;
  const auto learner = run.Learner(1);
  ASSERT_EQ(learner->Wait(), 0) << learner->output() << run.Logs();
  EXPECT_THAT(learner->output(), HasSubstr("learning rates are 0.5 times those of the experiment from here on"));
  std::vector<nlohmann::json> updates;
  std::ifstream records(run.folder / "run/metrics.jsonl");
  for (std::string line; std::getline(records, line);) updates.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(updates.size(), 30);
  std::string batch;
  for (const nlohmann::json& update : updates) {
    if (update.contains("divergence")) batch = update["divergence"].value("batch", "");
  }
  EXPECT_FALSE(updates.back().contains("divergence")) << "the last ones are finite again";
  EXPECT_LT(updates.back()["statistics"]["critic_learning_rate"], 1);
  ASSERT_FALSE(batch.empty());
  Process inspect("learner", {"inspect", run.folder / "run/" + batch});
  EXPECT_EQ(inspect.Wait(), 0) << inspect.output();
  EXPECT_THAT(inspect.output(), HasSubstr("largest_reward: "));
  EXPECT_THAT(inspect.output(), HasSubstr("walkers/rewards "));
  EXPECT_THAT(inspect.output(), Not(HasSubstr(" not finite")))
      << "what workers send is, and what is learnt of it is not";
}

TEST(DivergenceRun, DoesNotDependOnTheNumberOfWorkersAlsoWhereItIsStopped) {
  const std::string one = WeightsOf(1, {});
  EXPECT_EQ(one.size(), 64);
  for (const int workers : {2, 4}) EXPECT_EQ(WeightsOf(workers, {}), one) << workers;
  // In the middle of the first three that are not finite.
  EXPECT_EQ(WeightsOf(1, {2}), WeightsOf(3, {2}));
}

}  // namespace
}  // namespace troupe::testing
