// The template people copy compiles, learns and repeats itself.
#include <gtest/gtest.h>

#include <cmath>

#include "learner/algorithms/template_algorithm.cc.txt"
#include "tests/algorithms/acted_batch.h"
#include "tests/algorithms/batch_builder.h"

namespace troupe {
namespace {

constexpr int kSteps = 4, kColumns = 32, kActions = 3, kAgents = 2;

// Episodes of one step in which every agent is paid 1 for action 2; returns the mean pay under `weights`.
double Collect(const AlgorithmContext& context, const PolicySnapshot& weights, uint64_t seed, TrainingBatch* batch) {
  *batch = EmptyBatch(context.environment, kSteps, kColumns);
  GroupBatch& group = batch->groups[0];
  std::fill(group.observations.begin(), group.observations.end(), 1.0f);
  std::fill(batch->terminated.begin(), batch->terminated.end(), 1);
  std::vector<std::vector<double>> log_p;
  for (int action = 0; action < kActions; ++action) {
    std::fill(group.discrete_actions.begin(), group.discrete_actions.end(), action);
    log_p.push_back(LogProbabilitiesOf(weights, context.policies[0], group));
  }
  RandomStream random(seed);
  double pay = 0;
  for (size_t i = 0; i < group.rewards.size(); ++i) {
    float left = random.Uniform();
    int action = 0;
    while (action + 1 < kActions && left >= std::exp(log_p[action][i])) left -= std::exp(log_p[action++][i]);
    group.discrete_actions[i] = action;
    group.log_probabilities[i] = static_cast<float>(log_p[action][i]);
    group.rewards[i] = action == 2 ? 1.0f : 0.0f;
    pay += group.rewards[i];
  }
  return pay / static_cast<double>(group.rewards.size());
}

std::vector<HostTensor> Learn(double* pay) {
  const AlgorithmContext context = MakeContext(
      "policy { hidden_sizes: [16] agent_id_input: true } collection { num_shards: 1 copies_per_shard: 32 "
      "rollout_length: 4 } ppo { actor_learning_rate: 0.02 }",
      {DiscreteGroup("players", kAgents, 1, kActions)}, 0);
  const auto algorithm = CreateReinforce(context).value();
  TrainingBatch batch;
  for (uint64_t update = 0; update < 60; ++update) {
    *pay = Collect(context, algorithm->ExportPolicy({.update = static_cast<uint64_t>(update)}), 40 + update, &batch);
    EXPECT_TRUE(algorithm->Update(batch, {.update = update, .total_env_steps = 1}).ok());
  }
  return algorithm->SaveState();
}

TEST(TemplateAlgorithm, LearnsAndRepeatsItself) {
  double pay = 0, again = 0;
  const std::vector<HostTensor> state = Learn(&pay);
  EXPECT_GT(pay, 0.95) << "a third of the agents are paid at first";
  EXPECT_EQ(Learn(&again), state);
}

}  // namespace
}  // namespace troupe
