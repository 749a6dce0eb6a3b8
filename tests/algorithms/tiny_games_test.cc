// Algorithms learn games whose optimum is known, from batches their own exported policies collect.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "learner/arithmetic/networks/dense_stack.h"
#include "tests/algorithms/batch_builder.h"

namespace troupe {
namespace {

// A one-group game of fixed episode length, played in all columns at once.
struct Game {
  int agents = 2, observation_size = 1, actions = 3, extras = 0, length = 1;
  // The joint action of the episode's first step and of this one → every agent's reward at step t of the episode.
  std::function<std::vector<float>(int t, const std::vector<int>& first, const std::vector<int>& now)> reward;
  bool truncates = false;  // ends by truncation rather than by termination
};

// log π of all actions [rows, actions] for observations [rows · agents] of agents in order, by the exported weights.
at::Tensor LogProbabilities(const PolicySpec& policy, const PolicyWeights& weights,
                            const std::vector<float>& observations) {
  std::vector<float> flat;
  for (const HostTensor& tensor : weights.tensors)
    flat.insert(flat.end(), tensor.floats(), tensor.floats() + tensor.num_elements());
  const at::Tensor parameters = at::from_blob(flat.data(), {static_cast<int64_t>(flat.size())}, at::kFloat);
  const int64_t agents = policy.num_agents,
                rows = static_cast<int64_t>(observations.size()) / (agents * policy.observation_size);
  at::Tensor x =
      at::from_blob(const_cast<float*>(observations.data()), {rows, agents, policy.observation_size}, at::kFloat);
  if (policy.agent_id_input) x = at::cat({x, at::eye(agents).unsqueeze(0).expand({rows, agents, agents})}, -1);
  x = x.permute({1, 0, 2}).reshape({policy.stack.num_sets, -1, policy.stack.input_size});
  const at::Tensor logits = ForwardReference(policy.stack, parameters, x).reshape({agents, rows, policy.action_size});
  return at::log_softmax(logits, -1).permute({1, 0, 2}).contiguous();
}

// One batch of complete episodes; returns the mean reward per step and agent through `mean_reward`.
TrainingBatch Collect(const Game& game, const AlgorithmContext& context, const PolicyWeights& weights, uint64_t seed,
                      double* mean_reward) {
  const int steps = 4 * game.length, columns = 32, agents = game.agents;
  TrainingBatch batch = EmptyBatch(context.environment, steps, columns);
  GroupBatch& group = batch.groups[0];
  RandomStream random(seed);
  std::vector<std::vector<int>> first(columns, std::vector<int>(agents));
  double total = 0;
  for (int t = 0; t <= steps; ++t) {
    const int phase = t % game.length;
    std::vector<float> observations(columns * agents * game.observation_size, 0.0f);
    for (int row = 0; row < columns * agents; ++row) observations[row * game.observation_size + phase] = 1.0f;
    std::copy(observations.begin(), observations.end(), group.observations.begin() + t * observations.size());
    for (int column = 0; column < columns && game.extras > 0; ++column) {
      for (int agent = 0; agent < agents && phase > 0; ++agent) {
        batch.state_extras[(t * columns + column) * game.extras + agent] = static_cast<float>(first[column][agent]);
      }
    }
    if (t == steps) break;
    const at::Tensor log_probabilities = LogProbabilities(context.policies[0], weights, observations);
    for (int column = 0; column < columns; ++column) {
      std::vector<int> now(agents);
      for (int agent = 0; agent < agents; ++agent) {
        const float* log_p = log_probabilities.const_data_ptr<float>() + (column * agents + agent) * game.actions;
        float left = random.Uniform();
        while (now[agent] + 1 < game.actions && left >= std::exp(log_p[now[agent]]))
          left -= std::exp(log_p[now[agent]++]);
        const int cell = (t * columns + column) * agents + agent;
        group.discrete_actions[cell] = now[agent];
        group.log_probabilities[cell] = log_p[now[agent]];
      }
      if (phase == 0) first[column] = now;
      const std::vector<float> rewards = game.reward(phase, first[column], now);
      for (int agent = 0; agent < agents; ++agent) {
        group.rewards[(t * columns + column) * agents + agent] = rewards[agent];
        total += rewards[agent];
      }
      if (phase + 1 < game.length) continue;
      if (game.truncates) {
        Truncate(context.environment, t, column, 0.0f, &batch);
      } else {
        batch.terminated[t * columns + column] = 1;
      }
    }
  }
  *mean_reward = total / (steps * columns * agents);
  return batch;
}

// The mean reward per step and agent after `updates` updates.
double Learn(const Game& game, const std::string& settings, int updates) {
  const AlgorithmContext context =
      MakeContext(settings, {DiscreteGroup("players", game.agents, game.observation_size, game.actions)}, game.extras);
  auto algorithm = CreateAlgorithm(context).value();
  double reward = 0;
  for (int update = 0; update < updates; ++update) {
    const TrainingBatch batch = Collect(game, context, algorithm->ExportPolicy(update), 50 + update, &reward);
    EXPECT_TRUE(
        algorithm->Update(batch, {.update = static_cast<uint64_t>(update), .env_steps = 0, .total_env_steps = 1}).ok());
  }
  Collect(game, context, algorithm->ExportPolicy(updates), 7, &reward);
  return reward;
}

constexpr char kFast[] =
    "collection { num_shards: 1 copies_per_shard: 32 rollout_length: 16 }"
    "ppo { epochs: 8 actor_learning_rate: 0.01 critic_learning_rate: 0.01 entropy_coefficient: 0.01 } ";
const std::string kPerAgent = "policy { sharing: PER_AGENT hidden_sizes: [16] } critic { hidden_sizes: [32] } ";

// Both must choose action 2; each good choice alone is worth nothing.
Game Coordination() {
  Game game;
  game.reward = [](int, const std::vector<int>&, const std::vector<int>& now) {
    const float payoff = now[0] == now[1] ? std::vector<float>{1, 2, 5}[now[0]] : 0.0f;
    return std::vector<float>{payoff, payoff};
  };
  return game;
}

// What both did at the first of four steps pays at the last.
Game DelayedReward() {
  Game game;
  game.observation_size = game.length = 4;
  game.extras = 2;
  game.reward = [](int t, const std::vector<int>& first, const std::vector<int>&) {
    const float payoff = t == 3 ? static_cast<float>((first[0] == 1) + (first[1] == 2)) : 0.0f;
    return std::vector<float>{payoff, payoff};
  };
  return game;
}

TEST(TinyGames, PerAgentPoliciesWithATeamCriticCoordinate) {
  EXPECT_GT(Learn(Coordination(), kPerAgent + kFast, 40), 4.7);
}

TEST(TinyGames, ASharedPolicyWithAgentIdsCoordinates) {
  EXPECT_GT(
      Learn(Coordination(),
            std::string("policy { agent_id_input: true hidden_sizes: [16] } critic { hidden_sizes: [32] } ") + kFast,
            40),
      4.7);
}

TEST(TinyGames, IndependentLearnersWithLocalCriticsCoordinate) {
  EXPECT_GT(Learn(Coordination(),
                  std::string("policy { sharing: PER_AGENT hidden_sizes: [16] }"
                              "critic { input: LOCAL_OBSERVATION heads: EACH_AGENT hidden_sizes: [32] } ") +
                      kFast,
                  40),
            4.7);
}

TEST(TinyGames, ARewardFourStepsLaterIsCreditedToTheFirstStep) {
  EXPECT_GT(Learn(DelayedReward(), kPerAgent + kFast, 60), 0.46) << "0.5 is the optimum, chance 1/6";
}

TEST(TinyGames, AlsoWhenEpisodesEndByTruncation) {
  Game game = DelayedReward();
  game.truncates = true;
  EXPECT_GT(Learn(game, kPerAgent + kFast, 60), 0.46);
}

// Each agent is paid for its own choice only, unlike the other's: heads of their own tell them apart.
TEST(TinyGames, ValueHeadsOfEachAgentLearnFromOwnRewards) {
  for (const char* input : {"GLOBAL_STATE", "AGENT_SPECIFIC_STATE"}) {
    Game game;
    game.reward = [](int, const std::vector<int>&, const std::vector<int>& now) {
      return std::vector<float>{now[0] == 0 ? 1.0f : 0.0f, now[1] == 2 ? 1.0f : 0.0f};
    };
    EXPECT_GT(Learn(game,
                    std::string("policy { sharing: PER_AGENT hidden_sizes: [16] } critic { heads: EACH_AGENT input: ") +
                        input + " hidden_sizes: [32] } " + kFast,
                    40),
              0.93);
  }
}

}  // namespace
}  // namespace troupe
