#include "learner/run/learner_memory.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "common/config/experiment_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;

constexpr double kMebibyte = 1 << 20;

// traffic_grid's networks and collection for an environment of `agents` agents that see 17 numbers and choose of 4.
class LearnerMemoryTest : public ::testing::Test {
 protected:
  static std::vector<MemoryTerm> Terms(const std::vector<std::string>& settings, int local_workers = 0) {
    const Experiment experiment =
        LoadExperiment(TROUPE_SOURCE_DIR "/deploy/experiments/traffic_grid.textproto", settings).value();
    EnvironmentSpec environment;
    environment.groups = {{"junction", std::vector<std::string>(9, "J"), 17, ActionKind::kDiscrete, 4}};
    const auto policies = MakePolicySpecs(experiment, environment).value();
    const int shards = static_cast<int>(experiment.collection().num_shards());
    return RunMemory(experiment, environment, policies, {0, shards}, local_workers).value();
  }
};

TEST_F(LearnerMemoryTest, BatchesAreTheTensorsOfTheirSteps) {
  const MemoryTerm batches =
      Terms({"collection.num_shards=64", "collection.copies_per_shard=32", "collection.rollout_length=512"}).front();
  EXPECT_THAT(batches.what, HasSubstr("64 shards × 32 copies × 512 steps = 1,048,576 steps"));
  // Nine agents: 17 observed numbers, 3 more of 4 bytes each, a mask of 4 and who is alive; two flags a step.
  EXPECT_NEAR(batches.bytes, 2.0 * 1048576 * (9 * (17 * 4 + 3 * 4 + 4 + 1) + 2), 0.01 * batches.bytes);
}

TEST_F(LearnerMemoryTest, GrowsWithTheBatchAndWithLocalWorkers) {
  const double one = SumOf(Terms({})), four = SumOf(Terms({"collection.copies_per_shard=32"}));
  EXPECT_GT(four, 2 * one);
  EXPECT_LT(four, 4 * one);
  EXPECT_EQ(Terms({}, /*local_workers=*/2).size(), Terms({}).size() + 1);
  EXPECT_GT(SumOf(Terms({}, 2)), one);
}

TEST_F(LearnerMemoryTest, AMinibatchOfTheWholeBatchCountsAsOne) {
  // Where networks are stepped through autograd, which keeps a minibatch's activations.
  setenv("TROUPE_CPU", "none", /*overwrite=*/1);
  const auto of = [](const std::string& minibatch) { return SumOf(Terms({"ppo.minibatch_size=" + minibatch})); };
  EXPECT_EQ(of("0"), of("2880"));
  EXPECT_GT(of("0"), of("64"));
  unsetenv("TROUPE_CPU");
}

TEST_F(LearnerMemoryTest, ACriticThatAttendsCountsWhatItsTokensLeave) {
  const auto of = [](const std::string& size) {
    return SumOf(Terms({"critic.attention_heads=4", "critic.hidden_sizes=64", "critic.token_size=" + size}));
  };
  EXPECT_GT(of("64"), SumOf(Terms({"critic.hidden_sizes=64"})));
  // Some 2048 tokens at once on two threads, 14 numbers of them and more for every one that stands for an agent.
  EXPECT_GT(of("256") - of("64"), 4.0 * 4096 * 14 * (256 - 64));
}

TEST_F(LearnerMemoryTest, ALearnersPartOfTheReplayCounts) {
  const Experiment experiment = LoadExperiment(TROUPE_SOURCE_DIR "/deploy/experiments/grid_world_qmix.textproto",
                                               {"q_learning.replay_bytes=800000000"})
                                    .value();
  EnvironmentSpec environment;
  environment.groups = {{"walkers", {"a", "b"}, 6, ActionKind::kDiscrete, 4}};
  const auto policies = MakePolicySpecs(experiment, environment).value();
  // One of four shards.
  const auto terms = RunMemory(experiment, environment, policies, {0, 1}, 0).value();
  const auto replay = std::find_if(terms.begin(), terms.end(), [](const MemoryTerm& term) {
    return term.what.find("replay_bytes = 800000000") != std::string::npos;
  });
  ASSERT_NE(replay, terms.end());
  EXPECT_EQ(replay->bytes, 200000000);
  const absl::Status status = CheckRunMemory(terms, MemoryUse{300 * kMebibyte, 450 * kMebibyte});
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("the replay (q_learning.replay_bytes)"));
}

TEST_F(LearnerMemoryTest, IsHeldAgainstTheLimit) {
  const std::vector<MemoryTerm> terms =
      Terms({"collection.num_shards=64", "collection.copies_per_shard=32", "collection.rollout_length=512"});
  const absl::Status status = CheckRunMemory(terms, MemoryUse{300 * kMebibyte, 1024 * kMebibyte});
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("the 300 MiB in use, and the limit is 1024 MiB"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("two batches of"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("the actors' rows of an update"));
  EXPECT_TRUE(CheckRunMemory(terms, MemoryUse{300 * kMebibyte, 64 * 1024 * kMebibyte}).ok());
  EXPECT_TRUE(CheckRunMemory(Terms({}), MemoryUse{300 * kMebibyte, 1024 * kMebibyte}).ok());
}

}  // namespace
}  // namespace troupe
