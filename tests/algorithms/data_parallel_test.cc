// Ranks that share a batch learn what a learner by itself learns from all of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "tests/algorithms/rank_shares.h"

namespace troupe {
namespace {

constexpr int kSteps = 12, kColumns = 6, kUpdates = 3;

TrainingBatch WholeBatch(const AlgorithmContext& context, uint64_t update) {
  TrainingBatch batch = RandomBatch(context.environment, kSteps, kColumns, 100 + update);
  FillFinalAlive(context, &batch);
  return batch;
}

// name of the case; settings; columns of each rank
struct Case {
  std::string name;
  std::string settings;
  std::vector<int> columns;
  AgentGroupSpec lights = DiscreteGroup("lights", 2, 7, 3);
};

class DataParallel : public ::testing::TestWithParam<Case> {};

void ExpectRanksToLearnWhatOneLearns(const Case& what, bool device_steps) {
  AlgorithmContext context = MakeContext(what.settings, {DiscreteGroup("cars", 3, 5, 4), what.lights}, 2);
  context.arithmetic.overrides.gpu_on_cpu = device_steps;
  const auto batch_of = [&](uint64_t update) { return WholeBatch(context, update); };
  const std::unique_ptr<Algorithm> algorithm = CreateAlgorithm(context).value();
  const Trained alone = TrainOn(algorithm.get(), kUpdates, kSteps * kColumns, batch_of);
  const std::vector<Trained> parts = TrainInShares(context, what.columns, kUpdates, batch_of);
  ExpectWhatOneLearns(parts, alone);
  EXPECT_EQ(parts[0].statistics.at("epochs"), alone.statistics.at("epochs"));
}

TEST_P(DataParallel, LearnsWhatALearnerByItselfLearns) { ExpectRanksToLearnWhatOneLearns(GetParam(), false); }

TEST_P(DataParallel, LearnsWhatALearnerByItselfLearnsInAGpusSteps) {
  if (GetParam().name == "Attention") GTEST_SKIP() << "is trained on the CPU";
  ExpectRanksToLearnWhatOneLearns(GetParam(), true);
}

constexpr char kNetworks[] = "policy { hidden_sizes: [16] } critic { hidden_sizes: [16] ";

constexpr char kPerAgentCars[] = "group_policies { key: \"cars\" value { sharing: PER_AGENT hidden_sizes: [16] } } ";

std::string Settings(const std::string& critic, const std::string& ppo) {
  return kNetworks + critic + "} ppo { epochs: 3 actor_learning_rate: 0.003 critic_learning_rate: 0.003 " + ppo + "} ";
}

INSTANTIATE_TEST_SUITE_P(
    All, DataParallel,
    ::testing::Values(
        Case{"WholeBatch", Settings("", ""), {3, 3}}, Case{"Minibatches", Settings("", "minibatch_size: 24"), {3, 3}},
        Case{"UnequalShares", Settings("", "minibatch_size: 24"), {1, 3, 2}},
        // 72 minibatches of one step: most ranks hold nothing of most of them.
        Case{"EmptyMinibatches", Settings("", "minibatch_size: 1"), {4, 1, 1}},
        Case{"AHeadForEachAgent", Settings("heads: EACH_AGENT", "minibatch_size: 24"), {3, 3}},
        Case{"LocalCritics", Settings("input: LOCAL_OBSERVATION heads: EACH_AGENT", "minibatch_size: 24"), {2, 4}},
        Case{"AdvantagesNormalizedPerAgent",
             Settings("heads: EACH_AGENT", "minibatch_size: 24 advantage_normalization_per_agent: true"),
             {3, 3}},
        Case{"NothingNormalized",
             Settings("", "minibatch_size: 24 advantage_normalization: false value_normalization: false"),
             {3, 3}},
        Case{"ClippedGradients", Settings("", "minibatch_size: 24 max_gradient_norm: 0.05"), {3, 3}},
        Case{"EarlyStop", Settings("", "minibatch_size: 24 target_kl: 0.0005"), {3, 3}},
        Case{"VTrace", Settings("", "minibatch_size: 24 lag_correction: V_TRACE"), {3, 3}},
        Case{"Decoupled", Settings("", "minibatch_size: 24 lag_correction: DECOUPLED"), {3, 3}},
        Case{"OneSetAfterAnother",
             Settings("", "minibatch_size: 24 update_order: SEQUENTIAL target_kl: 0.002") + kPerAgentCars,
             {1, 3, 2}},
        Case{"Attention", Settings("heads: EACH_AGENT attention_heads: 2 token_size: 8", "minibatch_size: 24"), {1, 5}},
        Case{"Gaussians", Settings("", "minibatch_size: 24"), {2, 4}, ContinuousGroup("lights", 2, 7, 3)}),
    [](const auto& info) { return info.param.name; });

TEST(DataParallelFailure, EndsTheUpdateWithTheGroupsStatus) {
  const AlgorithmContext context = MakeContext(Settings("", "minibatch_size: 24"), {DiscreteGroup("cars", 3, 5, 4)}, 2);
  for (const int calls : {1, 5, 8}) {
    RunRanks(
        2,
        [&](std::shared_ptr<ThreadRank> ranks) {
          ranks->FailAfter(calls);
          AlgorithmContext own = context;
          own.ranks = ranks;
          const auto statistics = CreateAlgorithm(own).value()->Update(
              Cut(context, WholeBatch(context, 0), 3 * ranks->rank(), 3), {.total_env_steps = 720});
          EXPECT_EQ(statistics.status().code(), absl::StatusCode::kUnavailable) << calls;
        },
        FloatsOf);
  }
}

TEST(DataParallelFailure, AStepThatIsNotFiniteAnywhereIsSkippedEverywhere) {
  const AlgorithmContext context = MakeContext(Settings("", ""), {DiscreteGroup("cars", 3, 5, 4)}, 2);
  RunRanks(
      2,
      [&](std::shared_ptr<ThreadRank> ranks) {
        AlgorithmContext own = context;
        own.ranks = ranks;
        const std::unique_ptr<Algorithm> algorithm = CreateAlgorithm(own).value();
        const std::vector<HostTensor> before = algorithm->SaveState();
        TrainingBatch batch = Cut(context, WholeBatch(context, 0), 3 * ranks->rank(), 3);
        if (ranks->rank() == 1) batch.groups[0].rewards[0] = std::nanf("");
        const auto statistics = algorithm->Update(batch, {.total_env_steps = 720});
        ASSERT_TRUE(statistics.ok());
        const std::map<std::string, double> named(statistics->values.begin(), statistics->values.end());
        EXPECT_EQ(named.at("skipped_minibatches"), 3);
        EXPECT_EQ(algorithm->SaveState(), before);
      },
      FloatsOf);
}

}  // namespace
}  // namespace troupe
