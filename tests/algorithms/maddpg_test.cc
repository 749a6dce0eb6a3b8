// MADDPG and MATD3 on problems whose values and best actions are known.
#include "learner/algorithms/maddpg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "tests/algorithms/tiny_game.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using Rewards = std::vector<float>;

constexpr int kColumns = 16, kSteps = 8;

// Two pilots see s, −1 or 1, and each does one number in [-1, 1]: an episode of one step. What is done is drawn at
// random, so nothing depends on how actors explore.
TrainingBatch PilotsBatch(const AlgorithmContext& context, uint64_t update,
                          const std::function<Rewards(float s, float a, float b)>& reward) {
  TrainingBatch batch = EmptyBatch(context.environment, kSteps, kColumns);
  RandomStream random(update + 1);
  GroupBatch& group = batch.groups[0];
  for (int cell = 0; cell < (kSteps + 1) * kColumns; ++cell) {
    const float s = random.Below(2) == 0 ? -1.0f : 1.0f;
    group.observations[cell * 2] = group.observations[cell * 2 + 1] = s;
    if (cell >= kSteps * kColumns) continue;
    const float a = 2 * random.Uniform() - 1, b = 2 * random.Uniform() - 1;
    group.continuous_actions[cell * 2] = a;
    group.continuous_actions[cell * 2 + 1] = b;
    const Rewards paid = reward(s, a, b);
    group.rewards[cell * 2] = paid[0];
    group.rewards[cell * 2 + 1] = paid[1];
    batch.terminated[cell] = 1;
  }
  for (uint32_t column = 0; column < kColumns; ++column) {
    batch.streams.push_back({.shard = 0, .copy = column, .lease_epoch = 1, .sequence = update});
  }
  ShapeForAlgorithm(context, &batch);
  return batch;
}

// `maddpg` has fields of that message.
AlgorithmContext PilotsContext(const std::string& algorithm, const std::string& critic,
                               const std::string& maddpg = "") {
  return MakeContext(
      "algorithm { name: \"" + algorithm + "\" } policy { sharing: PER_AGENT hidden_sizes: [16] } critic { " + critic +
          " hidden_sizes: [64] } collection { num_shards: 1 copies_per_shard: 16 rollout_length: 8 } maddpg { " +
          FieldsWith(maddpg,
                     "actor_learning_rate: 0.005 critic_learning_rate: 0.005 minibatch_size: 64 "
                     "gradient_steps: 20 learning_starts: 128 replay_bytes: 4000000 output_penalty: 0") +
          " }",
      {ContinuousGroup("pilots", 2, 1, 1)}, 0);
}

// What agent `agent` does in state s.
double ActionOf(const AlgorithmContext& context, const Algorithm& algorithm, int agent, double s) {
  const std::vector<HostTensor> parts = algorithm.ExportPolicy({.update = 0}).tensors;  // layers.0, output
  double sum = parts[3].floats()[agent];
  for (int h = 0; h < 16; ++h) {
    sum += std::max(0.0, parts[1].floats()[agent * 16 + h] + s * parts[0].floats()[agent * 16 + h]) *
           parts[2].floats()[agent * 16 + h];
  }
  EXPECT_EQ(context.policies[0].stack.hidden_sizes, std::vector<int>{16});
  return std::tanh(sum);
}

std::map<std::string, double> Train(Algorithm* algorithm, int updates,
                                    const std::function<TrainingBatch(uint64_t update)>& batch_of) {
  std::map<std::string, double> statistics;
  for (int update = 0; update < updates; ++update) {
    const auto number = static_cast<uint64_t>(update);
    const auto done = algorithm->Update(batch_of(number), {.update = number, .total_env_steps = 1000000});
    EXPECT_TRUE(done.ok()) << done.status();
    if (!done.ok()) break;
    statistics = {done->values.begin(), done->values.end()};
  }
  return statistics;
}

// The team is paid −(a − 0.6 s)² − (b + 0.3 s)² − (a + b − 0.3 s)², which is best, 0, at a = 0.6 s and b = −0.3 s.
// Beside a b as it was done, 0 on average whatever s, a = 0.45 s is best, (0.6 + 0.3) s / 2; beside such an a, b = 0.
TEST(DeterministicPolicies, ATeamFindsTheBestJointActionOrTheBestAnswers) {
  for (const std::string algorithm : {"maddpg", "matd3"}) {
    const bool joint = algorithm == "maddpg";
    const AlgorithmContext context =
        PilotsContext(algorithm, "heads: TEAM", std::string("joint_actions_of_actors: ") + (joint ? "true" : "false"));
    const auto trained = CreateAlgorithm(context).value();
    const auto statistics = Train(trained.get(), 120, [&](uint64_t update) {
      return PilotsBatch(context, update, [](float s, float a, float b) {
        const float x = a - 0.6f * s, y = b + 0.3f * s, z = a + b - 0.3f * s;
        const float paid = -x * x - y * y - z * z;
        return Rewards{paid, paid};
      });
    });
    for (const double s : {-1.0, 1.0}) {
      EXPECT_NEAR(ActionOf(context, *trained, 0, s), (joint ? 0.6 : 0.45) * s, 0.1) << algorithm;
      EXPECT_NEAR(ActionOf(context, *trained, 1, s), (joint ? -0.3 : 0) * s, 0.1) << algorithm;
    }
    EXPECT_LT(statistics.at("value_loss"), 0.05) << algorithm;
  }
}

// Each has a reward of its own: agent 0 for a = 0.6 s, agent 1 for b = a − 0.3 s. To an agent 1 that must reckon with
// what was done, which is 0 on average, −0.3 s is best; to one that knows what agent 0 now does, 0.3 s is.
TEST(DeterministicPolicies, EveryAgentClimbsItsOwnCritic) {
  for (const bool joint : {false, true}) {
    const AlgorithmContext context = PilotsContext(
        "maddpg", "heads: EACH_AGENT", std::string("joint_actions_of_actors: ") + (joint ? "true" : "false"));
    const auto trained = CreateAlgorithm(context).value();
    Train(trained.get(), 120, [&](uint64_t update) {
      return PilotsBatch(context, update, [](float s, float a, float b) {
        const float x = a - 0.6f * s, y = b - a + 0.3f * s;
        return Rewards{-x * x, -y * y};
      });
    });
    for (const double s : {-1.0, 1.0}) {
      EXPECT_NEAR(ActionOf(context, *trained, 0, s), 0.6 * s, 0.1) << joint;
      EXPECT_NEAR(ActionOf(context, *trained, 1, s), joint ? 0.3 * s : -0.3 * s, 0.1) << joint;
    }
  }
}

// Every step pays 1 and γ = ½: 1 + ½ + ¼ + … = 2 where episodes go on, 1 where they end, and 1 to an agent that is
// dead at the next step. A sum of both agents' is paid to a team: twice as much.
TEST(DeterministicPolicies, CriticsLearnTheReturnsOfAKnownProcess) {
  enum End { kGoesOn, kTerminates, kDies };
  for (const std::string algorithm : {"maddpg", "matd3"}) {
    for (const std::string heads : {"heads: EACH_AGENT", "heads: TEAM team_reward: SUM"}) {
      for (const End end : {kGoesOn, kTerminates, kDies}) {
        if (end == kDies && heads != "heads: EACH_AGENT") continue;
        const AlgorithmContext context =
            PilotsContext(algorithm, heads, "discount: 0.5 target_rate: 0.1 gradient_steps: 40");
        const auto trained = CreateAlgorithm(context).value();
        const auto statistics = Train(trained.get(), 20, [&](uint64_t update) {
          TrainingBatch batch = PilotsBatch(context, update, [](float, float, float) { return Rewards{1, 1}; });
          std::ranges::fill(batch.terminated, end == kTerminates);
          // Agents live at every other step.
          for (size_t i = 0; end == kDies && i < batch.groups[0].alive.size(); ++i) {
            batch.groups[0].alive[i] = i / (2 * kColumns) % 2 == 0;
          }
          return batch;
        });
        const double expected = (end == kGoesOn ? 2.0 : 1.0) * (heads == "heads: EACH_AGENT" ? 1 : 2);
        EXPECT_NEAR(statistics.at("chosen_value"), expected, 0.05 * expected)
            << algorithm << " " << heads << " " << end;
        EXPECT_NEAR(statistics.at("target_value"), expected, 0.05 * expected)
            << algorithm << " " << heads << " " << end;
        EXPECT_NEAR(statistics.at("policy_value"), expected, 0.1 * expected) << algorithm << " " << heads << " " << end;
      }
    }
  }
}

// Of two indices the first is to be the state, the second the state's opposite in three: each that is pays 1.
TEST(DeterministicPolicies, EveryIndexOfAMultiDiscreteActionIsLearnt) {
  const AlgorithmContext context = MakeContext(
      "algorithm { name: \"maddpg\" } policy { hidden_sizes: [16] } critic { hidden_sizes: [32] } collection { "
      "num_shards: 1 copies_per_shard: 16 rollout_length: 8 } maddpg { actor_learning_rate: 0.005 "
      "critic_learning_rate: "
      "0.005 minibatch_size: 64 gradient_steps: 20 learning_starts: 128 replay_bytes: 4000000 }",
      {MultiDiscreteGroup("one", 1, 2, {2, 3})}, 0);
  const auto trained = CreateAlgorithm(context).value();
  Train(trained.get(), 40, [&](uint64_t update) {
    TrainingBatch batch = EmptyBatch(context.environment, kSteps, kColumns);
    RandomStream random(update + 1);
    GroupBatch& group = batch.groups[0];
    for (int cell = 0; cell < (kSteps + 1) * kColumns; ++cell) {
      const auto state = static_cast<int32_t>(random.Below(2));
      group.observations[cell * 2 + state] = 1.0f;
      if (cell >= kSteps * kColumns) continue;
      int32_t* const action = &group.multi_discrete_actions[cell * 2];
      action[0] = static_cast<int32_t>(random.Below(2));
      action[1] = static_cast<int32_t>(random.Below(3));
      group.rewards[cell] = static_cast<float>((action[0] == state) + (action[1] == 2 - 2 * state));
      batch.terminated[cell] = 1;
    }
    for (uint32_t column = 0; column < kColumns; ++column) {
      batch.streams.push_back({.shard = 0, .copy = column, .lease_epoch = 1, .sequence = update});
    }
    ShapeForAlgorithm(context, &batch);
    return batch;
  });
  const PolicySnapshot weights = trained->ExportPolicy({.update = 0});
  const uint8_t allowed[] = {1, 1, 1, 1, 1};
  for (int state = 0; state < 2; ++state) {
    const float observation[] = {state == 0 ? 1.0f : 0.0f, state == 1 ? 1.0f : 0.0f};
    const std::vector<double> y = LogProbabilities(context.policies[0], weights, 0, observation, allowed);
    EXPECT_EQ(std::max_element(y.begin(), y.begin() + 2) - y.begin(), state);
    EXPECT_EQ(std::max_element(y.begin() + 2, y.end()) - y.begin() - 2, 2 - 2 * state);
  }
}

std::map<std::string, std::vector<float>> FloatsOfState(const Algorithm& algorithm) {
  std::map<std::string, std::vector<float>> floats;
  for (const HostTensor& tensor : algorithm.SaveState()) {
    if (tensor.data_type != DataType::kFloat32) continue;
    floats[tensor.name] = {tensor.floats(), tensor.floats() + tensor.num_elements()};
  }
  return floats;
}

// One of two choices pays 1, the other 0. Logits (y, −y) that climb the mean, less λ (y² + y²) / 2, rest where
// p (1 − p) = λ y with p = 1 / (1 + e^(−2y)): at λ = 0.1 where y = 1.0193.
TEST(DeterministicPolicies, TheMeanOverAllChoicesIsClimbed) {
  const AlgorithmContext context = MakeContext(
      "algorithm { name: \"maddpg\" } policy { hidden_sizes: [8] } critic { hidden_sizes: [32] } collection { "
      "num_shards: 1 copies_per_shard: 16 rollout_length: 8 } maddpg { discrete_gradient: EXPECTED output_penalty: 0.1 "
      "actor_learning_rate: 0.005 critic_learning_rate: 0.005 minibatch_size: 64 gradient_steps: 20 learning_starts: "
      "128 replay_bytes: 4000000 }",
      {DiscreteGroup("one", 1, 1, 2)}, 0);
  const auto trained = CreateAlgorithm(context).value();
  const auto statistics = Train(trained.get(), 60, [&](uint64_t update) {
    TrainingBatch batch = EmptyBatch(context.environment, kSteps, kColumns);
    RandomStream random(update + 1);
    for (int cell = 0; cell < kSteps * kColumns; ++cell) {
      batch.groups[0].discrete_actions[cell] = static_cast<int32_t>(random.Below(2));
      batch.groups[0].rewards[cell] = batch.groups[0].discrete_actions[cell] == 0 ? 1.0f : 0.0f;
      batch.terminated[cell] = 1;
    }
    for (uint32_t column = 0; column < kColumns; ++column) {
      batch.streams.push_back({.shard = 0, .copy = column, .lease_epoch = 1, .sequence = update});
    }
    ShapeForAlgorithm(context, &batch);
    return batch;
  });
  const float observation = 0;
  const uint8_t allowed[] = {1, 1};
  const std::vector<double> y =
      LogProbabilities(context.policies[0], trained->ExportPolicy({.update = 0}), 0, &observation, allowed);
  EXPECT_NEAR(y[0] - y[1], 2 * 1.0193, 0.1);
  // It is paid by how often it chooses the first: 1 / (1 + e^(−2.0386)) = 0.8848 of the time.
  EXPECT_NEAR(statistics.at("policy_value"), 0.8848, 0.05);
}

TEST(DeterministicPolicies, LearningRatesAreAnnealedToZero) {
  const AlgorithmContext context = PilotsContext("maddpg", "heads: TEAM", "anneal_learning_rate: true");
  const auto algorithm = CreateAlgorithm(context).value();
  const auto paid = [](float s, float a, float b) { return Rewards{s * a, b}; };
  auto before = FloatsOfState(*algorithm);
  for (const uint64_t env_steps : {500, 1000}) {
    const auto done = algorithm->Update(PilotsBatch(context, env_steps / 500, paid),
                                        {.update = 0, .env_steps = env_steps, .total_env_steps = 1000});
    ASSERT_TRUE(done.ok()) << done.status();
    const std::map<std::string, double> statistics(done->values.begin(), done->values.end());
    EXPECT_DOUBLE_EQ(statistics.at("learning_rate"), env_steps == 500 ? 0.0025 : 0);
    const auto after = FloatsOfState(*algorithm);
    for (const std::string name : {"actor/pilots/output.weight", "critic/first/output.weight"}) {
      EXPECT_EQ(after.at(name) != before.at(name), env_steps == 500) << name;
    }
    before = after;
  }
}

// Polyak's average: target + τ (trained − target).
TEST(DeterministicPolicies, TargetsGoAShareOfTheWay) {
  const AlgorithmContext context = PilotsContext("maddpg", "heads: TEAM", "gradient_steps: 1 target_rate: 0.25");
  const auto algorithm = CreateAlgorithm(context).value();
  const auto paid = [](float s, float a, float b) { return Rewards{s * a, b}; };
  const auto before = FloatsOfState(*algorithm);
  ASSERT_TRUE(algorithm->Update(PilotsBatch(context, 0, paid), {.total_env_steps = 1000}).ok());
  const auto after = FloatsOfState(*algorithm);
  int compared = 0;
  for (const auto& [name, target] : before) {
    if (!name.starts_with("target_")) continue;
    const std::vector<float>& trained = after.at(name.substr(7));
    EXPECT_EQ(before.at(name.substr(7)), target) << "they begin alike";
    EXPECT_NE(trained, target) << name;
    for (size_t i = 0; i < target.size(); ++i, ++compared) {
      EXPECT_NEAR(after.at(name)[i], 0.75 * target[i] + 0.25 * trained[i], 1e-6) << name;
    }
  }
  // Actors of 2 × (16 + 16 + 16 + 1), a critic of (2 + 2) · 64 + 64 + 64 + 1.
  EXPECT_EQ(compared, 98 + 385);
}

TEST(DeterministicPolicies, Matd3MovesActorsAndTargetsAfterEverySecondStepOfTwoCritics) {
  const AlgorithmContext context = PilotsContext("matd3", "heads: TEAM", "gradient_steps: 1");
  const auto algorithm = CreateAlgorithm(context).value();
  auto before = FloatsOfState(*algorithm);
  EXPECT_NE(before.at("critic/first/output.weight"), before.at("critic/second/output.weight"));
  for (uint64_t update = 0; update < 4; ++update) {
    const auto paid = [](float s, float a, float b) { return Rewards{s * a, b}; };
    ASSERT_TRUE(
        algorithm->Update(PilotsBatch(context, update, paid), {.update = update, .total_env_steps = 1000}).ok());
    const auto after = FloatsOfState(*algorithm);
    for (const std::string name : {"actor/pilots/output.weight", "target_actor/pilots/output.weight",
                                   "target_critic/first/output.weight", "target_critic/second/output.weight"}) {
      EXPECT_EQ(after.at(name) != before.at(name), update % 2 == 1) << name << " " << update;
    }
    for (const std::string name : {"critic/first/output.weight", "critic/second/output.weight"}) {
      EXPECT_NE(after.at(name), before.at(name)) << name << " " << update;
    }
    before = after;
  }
}

// What keeps outputs where they can be moved: with it alone to go by, they shrink.
TEST(DeterministicPolicies, ThePenaltyDrawsOutputsToZero) {
  const AlgorithmContext context =
      PilotsContext("maddpg", "heads: TEAM", "output_penalty: 10 actor_learning_rate: 0.01");
  AlgorithmContext wide = context;
  wide.experiment.mutable_policy()->set_output_gain(2);
  wide.policies = MakePolicySpecs(wide.experiment, wide.environment).value();
  const auto algorithm = CreateAlgorithm(wide).value();
  const double before = std::abs(ActionOf(wide, *algorithm, 0, 1)) + std::abs(ActionOf(wide, *algorithm, 0, -1));
  Train(algorithm.get(), 20, [&](uint64_t update) {
    return PilotsBatch(wide, update, [](float, float, float) { return Rewards{0, 0}; });
  });
  const double after = std::abs(ActionOf(wide, *algorithm, 0, 1)) + std::abs(ActionOf(wide, *algorithm, 0, -1));
  EXPECT_LT(after, 0.1 * before);
}

TEST(DeterministicPolicies, ExplorationComesWithTheWeightsOfWhoAsksForIt) {
  AlgorithmContext context = MakeContext(
      "algorithm { name: \"maddpg\" } group_policies { key: \"cars\" value { distribution: EPSILON_GREEDY } } maddpg { "
      "epsilon: 0.9 final_epsilon: 0.1 action_noise: 0.5 final_action_noise: 0 exploration_env_steps: 1000 }",
      {DiscreteGroup("cars", 1, 2, 3), ContinuousGroup("pilots", 1, 2, 1)}, 0);
  const auto algorithm = CreateAlgorithm(context).value();
  const auto at = [&](uint64_t env_steps) { return algorithm->ExportPolicy({.update = 3, .env_steps = env_steps}); };
  EXPECT_DOUBLE_EQ(at(0).Scalar("epsilon").value(), 0.9);
  EXPECT_DOUBLE_EQ(at(250).Scalar("epsilon").value(), 0.7);
  EXPECT_DOUBLE_EQ(at(250).Scalar("action_noise").value(), 0.375);
  EXPECT_DOUBLE_EQ(at(5000).Scalar("epsilon").value(), 0.1);
  EXPECT_DOUBLE_EQ(at(5000).Scalar("action_noise").value(), 0);
  EXPECT_FALSE(at(0).Scalar("action_noise_correlation").has_value());
  context.experiment.mutable_maddpg()->set_action_noise_correlation(0.85);
  EXPECT_DOUBLE_EQ(CreateAlgorithm(context).value()->ExportPolicy({}).Scalar("action_noise_correlation").value(), 0.85);
  // Who draws from a softmax has exploration of its own.
  context = MakeContext("algorithm { name: \"maddpg\" }", {DiscreteGroup("cars", 1, 2, 3)}, 0);
  EXPECT_TRUE(CreateAlgorithm(context).value()->ExportPolicy({}).scalars.empty());
}

TEST(DeterministicPolicies, WhatCannotBeTrainedIsRefusedByName) {
  const auto refusal = [](const AlgorithmContext& context) {
    return std::string(CreateAlgorithm(context).status().message());
  };
  EXPECT_THAT(refusal(PilotsContext("maddpg", "", "replay_bytes: 100")),
              HasSubstr("maddpg.replay_bytes: 100, but a batch alone is "));
  EXPECT_THAT(refusal(PilotsContext("maddpg", "input: LOCAL_OBSERVATION heads: EACH_AGENT")),
              HasSubstr("critic.input: LOCAL_OBSERVATION, but critics of joint actions see the global state"));
  EXPECT_THAT(refusal(PilotsContext("matd3", "attention_heads: 2 token_size: 8")),
              HasSubstr("critic.attention_heads: 2, but critics of joint actions are dense"));
  AlgorithmContext opposed = PilotsContext("maddpg", "");
  opposed.environment.groups.push_back(ContinuousGroup("others", 1, 1, 1));
  opposed.environment.groups.back().team = "others";
  opposed.policies = MakePolicySpecs(opposed.experiment, opposed.environment).value();
  EXPECT_THAT(refusal(opposed), HasSubstr("critic.heads: TEAM, but"));
  AlgorithmContext on_gpu = PilotsContext("maddpg", "");
  on_gpu.arithmetic.overrides.gpu_on_cpu = true;
  EXPECT_THAT(refusal(on_gpu), HasSubstr("network target_actor/pilots is a target network"));
}

}  // namespace
}  // namespace troupe
