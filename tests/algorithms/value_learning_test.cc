// IQL, VDN, QMIX and PQN-VDN on games whose values are known.
//
// The two-step game of arXiv:1803.11485, section 6: agent 0's first action chooses the matrix, A where every joint
// action pays 7, or B that pays [[0, 1], [1, 8]]. On joint actions drawn uniformly, with γ = 0.99:
//   QMIX represents B as it is, hence at the first step 0.99 · 7 = 6.93 for A and 0.99 · 8 = 7.92 for B;
//   VDN's sum fits B by least squares, [[-1.5, 2.5], [2.5, 6.5]] (mean 2.5 and effects ∓2 of each agent), hence
//   0.99 · 6.5 = 6.435 for B, and the worse matrix looks better.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>

#include "learner/arithmetic/autograd/monotonic_mixer.h"
#include "tests/algorithms/tiny_game.h"

namespace troupe {
namespace {

constexpr int kColumns = 16, kSteps = 8;  // four episodes a column

// States: the first step, matrix A, matrix B.
float Payoff(int state, int a, int b) {
  constexpr float kB[2][2] = {{0, 1}, {1, 8}};
  return state == 0 ? 0.0f : state == 1 ? 7.0f : kB[a][b];
}

// Random play.
TrainingBatch TwoStepBatch(const AlgorithmContext& context, uint64_t update) {
  TrainingBatch batch = EmptyBatch(context.environment, kSteps, kColumns);
  RandomStream random(update + 1);
  GroupBatch& group = batch.groups[0];
  for (int column = 0; column < kColumns; ++column) {
    int state = 0;
    for (int t = 0; t <= kSteps; ++t) {
      const int cell = t * kColumns + column;
      batch.state_extras[cell * 3 + state] = 1.0f;
      for (int agent = 0; agent < 2; ++agent) group.observations[(cell * 2 + agent) * 3 + state] = 1.0f;
      if (t == kSteps) break;
      const int a = static_cast<int>(random.Below(2)), b = static_cast<int>(random.Below(2));
      group.discrete_actions[cell * 2] = a;
      group.discrete_actions[cell * 2 + 1] = b;
      group.rewards[cell * 2] = group.rewards[cell * 2 + 1] = Payoff(state, a, b);
      if (state != 0) batch.terminated[cell] = 1;
      state = state != 0 ? 0 : 1 + a;
    }
    batch.streams.push_back({.shard = 0, .copy = static_cast<uint32_t>(column), .lease_epoch = 1, .sequence = update});
  }
  ShapeForAlgorithm(context, &batch);
  return batch;
}

AlgorithmContext TwoStepContext(const std::string& algorithm, const std::string& settings) {
  AlgorithmContext context = MakeContext(
      "algorithm { name: \"" + algorithm +
          "\" } policy { sharing: PER_AGENT hidden_sizes: [64] } collection { num_shards: 1 copies_per_shard: 16 "
          "rollout_length: 8 } " +
          settings,
      {DiscreteGroup("players", 2, 3, 2)}, 3);
  context.environment.state_includes_observations = false;
  return context;
}

// Values of the agents' actions in each state, [state][agent][action].
using Values = std::array<std::array<std::array<double, 2>, 2>, 3>;

Values ValuesOf(const AlgorithmContext& context, const Algorithm& algorithm) {
  const PolicySnapshot weights = algorithm.ExportPolicy({.update = 0});
  const PolicySpec& policy = context.policies[0];
  const std::vector<HostTensor>& parts = weights.tensors;  // layers.0.weight, .bias, output.weight, .bias
  Values values{};
  for (int state = 0; state < 3; ++state) {
    for (int agent = 0; agent < 2; ++agent) {
      for (int action = 0; action < 2; ++action) {
        double sum = parts[3].floats()[agent * 2 + action];
        for (int h = 0; h < 64; ++h) {
          const double hidden = parts[1].floats()[agent * 64 + h] + parts[0].floats()[(agent * 3 + state) * 64 + h];
          sum += std::max(0.0, hidden) * parts[2].floats()[(agent * 64 + h) * 2 + action];
        }
        values[state][agent][action] = sum;
      }
    }
  }
  EXPECT_EQ(policy.stack.hidden_sizes, std::vector<int>{64});
  return values;
}

// What greedy agents are paid.
float GreedyReturn(const Values& values) {
  const auto best = [&](int state, int agent) { return values[state][agent][1] > values[state][agent][0] ? 1 : 0; };
  const int state = 1 + best(0, 0);
  return Payoff(state, best(state, 0), best(state, 1));
}

constexpr char kReplay[] =
    "q_learning { learning_rate: 0.001 minibatch_size: 128 gradient_steps: 20 target_interval: 100 learning_starts: "
    "500 "
    "replay_bytes: 4000000 } ";

std::unique_ptr<Algorithm> Train(const AlgorithmContext& context, int updates) {
  auto algorithm = CreateAlgorithm(context).value();
  for (int update = 0; update < updates; ++update) {
    const auto done = algorithm->Update(TwoStepBatch(context, update),
                                        {.update = static_cast<uint64_t>(update), .total_env_steps = 1000000});
    EXPECT_TRUE(done.ok()) << done.status();
    if (!done.ok()) break;
  }
  return algorithm;
}

TEST(ValueLearning, QmixRepresentsTheTwoStepGame) {
  const AlgorithmContext context = TwoStepContext("qmix", kReplay);
  const auto algorithm = Train(context, 150);
  const Values values = ValuesOf(context, *algorithm);
  SingleRank alone;
  MonotonicMixer mixer({.agents = 2, .state_size = 3}, 1, &alone);
  mixer.Load(algorithm->SaveState());
  mixer.BlendTarget(1);
  const auto total = [&](int state, int a, int b) {
    std::array<float, 2> chosen = {static_cast<float>(values[state][0][a]), static_cast<float>(values[state][1][b])};
    std::array<float, 3> global{};
    global[state] = 1.0f;
    return mixer.TargetTotals({chosen.data(), global.data(), 1})[0];
  };
  for (int a = 0; a < 2; ++a) {
    for (int b = 0; b < 2; ++b) {
      EXPECT_NEAR(total(0, a, b), a == 0 ? 6.93 : 7.92, 0.1) << a << b;
      EXPECT_NEAR(total(1, a, b), 7.0, 0.1) << a << b;
      EXPECT_NEAR(total(2, a, b), Payoff(2, a, b), 0.1) << a << b;
    }
  }
  EXPECT_EQ(GreedyReturn(values), 8);
}

void ExpectVdnsValues(const Values& values) {
  const auto total = [&](int state, int a, int b) { return values[state][0][a] + values[state][1][b]; };
  constexpr double kB[2][2] = {{-1.5, 2.5}, {2.5, 6.5}};
  for (int a = 0; a < 2; ++a) {
    for (int b = 0; b < 2; ++b) {
      EXPECT_NEAR(total(0, a, b), a == 0 ? 6.93 : 6.435, 0.2) << a << b;
      EXPECT_NEAR(total(1, a, b), 7.0, 0.2) << a << b;
      EXPECT_NEAR(total(2, a, b), kB[a][b], 0.2) << a << b;
    }
  }
  EXPECT_EQ(GreedyReturn(values), 7);
}

TEST(ValueLearning, VdnSumsTheTwoStepGame) {
  // Payoffs are noise to a sum, so its values settle with a larger minibatch.
  const AlgorithmContext context =
      TwoStepContext("vdn",
                     "q_learning { learning_rate: 0.0005 minibatch_size: 1024 gradient_steps: 20 target_rate: 0.02 "
                     "learning_starts: 500 replay_bytes: 4000000 }");
  ExpectVdnsValues(ValuesOf(context, *Train(context, 150)));
}

TEST(ValueLearning, IndependentLearnersEstimateTheMeanOverTheOthersActions) {
  const AlgorithmContext context =
      TwoStepContext("iql",
                     "q_learning { learning_rate: 0.0005 minibatch_size: 1024 gradient_steps: 20 target_rate: 0.02 "
                     "learning_starts: 500 replay_bytes: 4000000 }");
  const Values values = ValuesOf(context, *Train(context, 150));
  for (int agent = 0; agent < 2; ++agent) {
    EXPECT_NEAR(values[2][agent][0], 0.5, 0.2);  // (0 + 1) / 2
    EXPECT_NEAR(values[2][agent][1], 4.5, 0.2);  // (1 + 8) / 2
    EXPECT_NEAR(values[1][agent][0], 7.0, 0.2);
  }
  EXPECT_NEAR(values[0][0][0], 0.99 * 7.0, 0.2);
  EXPECT_NEAR(values[0][0][1], 0.99 * 4.5, 0.2);
}

TEST(ValueLearning, PqnSumsTheTwoStepGame) {
  const AlgorithmContext context =
      TwoStepContext("pqn_vdn", "pqn { learning_rate: 0.002 lambda: 0 epochs: 4 anneal_learning_rate: true }");
  auto algorithm = CreateAlgorithm(context).value();
  constexpr uint64_t kUpdates = 1500;
  for (uint64_t update = 0; update < kUpdates; ++update) {
    ASSERT_TRUE(algorithm
                    ->Update(TwoStepBatch(context, update),
                             {.update = update, .env_steps = update, .total_env_steps = kUpdates})
                    .ok());
  }
  ExpectVdnsValues(ValuesOf(context, *algorithm));
}

// Whoever learns from a replay alone still finds the best of what is allowed: action 2 pays most and is forbidden in
// the state that follows.
TEST(ValueLearning, TheBestNextActionIsAnAllowedOne) {
  for (const std::string ends : {"terminated", "truncated"}) {
    AlgorithmContext context = MakeContext(
        "algorithm { name: \"iql\" } policy { hidden_sizes: [32] } collection { num_shards: 1 copies_per_shard: 4 "
        "rollout_length: 2 } q_learning { learning_rate: 0.003 minibatch_size: 64 gradient_steps: 20 target_rate: 0.05 "
        "learning_starts: 1 replay_bytes: 100000 discount: 0.5 }",
        {DiscreteGroup("players", 1, 2, 3)}, 0);
    auto algorithm = CreateAlgorithm(context).value();
    for (uint64_t update = 0; update < 100; ++update) {
      // State 0 pays nothing and leads to state 1; there action j pays j, and the episode goes on, or ends in state 0
      // as `ends` says. Action 2 was tried there and is allowed no more where the last step of a column looks back.
      TrainingBatch batch = EmptyBatch(context.environment, 2, 4);
      RandomStream random(update);
      GroupBatch& group = batch.groups[0];
      for (int column = 0; column < 4; ++column) {
        for (int t = 0; t <= 2; ++t) {
          const int cell = t * 4 + column, state = t % 2;
          group.observations[cell * 2 + state] = 1.0f;
          if (t == 2) break;
          group.discrete_actions[cell] = static_cast<int32_t>(random.Below(3));
          if (state == 1) group.rewards[cell] = static_cast<float>(group.discrete_actions[cell]);
        }
        // What follows state 0 allows actions 0 and 1 alone.
        group.action_masks[(1 * 4 + column) * 3 + 2] = 0;
        batch.streams.push_back(
            {.shard = 0, .copy = static_cast<uint32_t>(column), .lease_epoch = 1, .sequence = update});
      }
      for (int column = 0; column < 4; ++column) {
        batch.terminated[1 * 4 + column] = 1;
        if (ends == "truncated") {
          // State 0 is cut, and its final state is state 1.
          batch.truncated[column] = 1;
          batch.truncated_at.insert(batch.truncated_at.end(), {0, column});
          group.final_observations.insert(group.final_observations.end(), {0.0f, 1.0f});
          group.final_action_masks.insert(group.final_action_masks.end(), {1, 1, 0});
        }
      }
      ShapeForAlgorithm(context, &batch);
      ASSERT_TRUE(algorithm->Update(batch, {.update = update, .total_env_steps = 1000}).ok());
    }
    const PolicySnapshot weights = algorithm->ExportPolicy({.update = 0});
    const auto value = [&](int state, int action) {
      double sum = weights.tensors[3].floats()[action];
      for (int h = 0; h < 32; ++h) {
        const double hidden = weights.tensors[1].floats()[h] + weights.tensors[0].floats()[state * 32 + h];
        sum += std::max(0.0, hidden) * weights.tensors[2].floats()[h * 3 + action];
      }
      return sum;
    };
    EXPECT_NEAR(value(1, 2), 2.0, 0.1) << ends;
    for (int action = 0; action < 3; ++action) EXPECT_NEAR(value(0, action), 0.5 * 1.0, 0.1) << ends << action;
  }
}

TEST(ValueLearning, TheExplorationRateComesWithTheWeights) {
  for (const auto& [name, settings] :
       std::map<std::string, std::string>{{"vdn", "q_learning"}, {"qmix", "q_learning"}, {"pqn_vdn", "pqn"}}) {
    const AlgorithmContext context =
        TwoStepContext(name, settings + " { epsilon: 0.9 final_epsilon: 0.1 epsilon_env_steps: 1000 }");
    const auto algorithm = CreateAlgorithm(context).value();
    const auto epsilon = [&](uint64_t env_steps) {
      return algorithm->ExportPolicy({.update = 3, .env_steps = env_steps}).Scalar("epsilon").value();
    };
    EXPECT_DOUBLE_EQ(epsilon(0), 0.9) << name;
    EXPECT_DOUBLE_EQ(epsilon(250), 0.7) << name;
    EXPECT_DOUBLE_EQ(epsilon(1000), 0.1) << name;
    EXPECT_DOUBLE_EQ(epsilon(5000), 0.1) << name;
  }
}

TEST(ValueLearning, AResumedRunSaysThatItsReplayFillsAnewAndWaitsForIt) {
  AlgorithmContext context = TwoStepContext("vdn", "q_learning { learning_starts: 256 gradient_steps: 2 }");
  std::vector<std::string> lines;
  context.arithmetic.warn = [&](const std::string& line) { lines.push_back(line); };
  const auto first = Train(context, 3);
  EXPECT_TRUE(lines.empty());
  const auto resumed = CreateAlgorithm(context).value();
  ASSERT_TRUE(resumed->LoadState(first->SaveState()).ok());
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("256 environment steps"), std::string::npos) << lines[0];
  // A batch is 128 steps: the first leaves everything as it was.
  for (const uint64_t update : {3, 4}) {
    ASSERT_TRUE(resumed->Update(TwoStepBatch(context, update), {.update = update, .total_env_steps = 1000}).ok());
    EXPECT_EQ(resumed->SaveState() == first->SaveState(), update == 3);
  }
}

TEST(ValueLearning, WhatCannotBeTrainedIsRefusedByName) {
  const auto refusal = [](const AlgorithmContext& context) {
    return std::string(CreateAlgorithm(context).status().message());
  };
  EXPECT_NE(refusal(TwoStepContext("vdn", "q_learning { replay_bytes: 100 }"))
                .find("q_learning.replay_bytes: 100, but a batch alone is "),
            std::string::npos);
  AlgorithmContext two_teams = TwoStepContext("qmix", "");
  two_teams.environment.groups.push_back(DiscreteGroup("others", 1, 3, 2));
  two_teams.environment.groups.back().team = "others";
  two_teams.policies = MakePolicySpecs(two_teams.experiment, two_teams.environment).value();
  EXPECT_NE(refusal(two_teams).find("qmix joins the values of one team"), std::string::npos) << refusal(two_teams);
  AlgorithmContext on_gpu = TwoStepContext("vdn", "");
  on_gpu.arithmetic.overrides.gpu_on_cpu = true;
  EXPECT_NE(refusal(on_gpu).find("network target/players is a target network"), std::string::npos);
  AlgorithmContext categorical = TwoStepContext("vdn", "");
  categorical.policies[0].distribution.kind = DistributionKind::kCategorical;
  EXPECT_NE(refusal(categorical).find("group \"players\" has categorical actions"), std::string::npos);
}

TEST(ValueLearning, PqnTakesTheSameStepsAsOnAGpu) {
  AlgorithmContext context = TwoStepContext("pqn_vdn", "pqn { learning_rate: 0.001 minibatch_size: 48 }");
  std::vector<Values> values;
  for (const bool gpu : {false, true}) {
    context.arithmetic.overrides.gpu_on_cpu = gpu;
    values.push_back(ValuesOf(context, *Train(context, 3)));
  }
  for (int state = 0; state < 3; ++state) {
    for (int i = 0; i < 4; ++i) {
      EXPECT_NEAR(values[0][state][i / 2][i % 2], values[1][state][i / 2][i % 2], 1e-4) << state << i;
    }
  }
}

}  // namespace
}  // namespace troupe
