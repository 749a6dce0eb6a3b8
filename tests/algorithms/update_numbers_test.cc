// Numbers inside an update, worked out by hand and read off the first gradient step: learning rates, entropy
// coefficients, normalised advantages, importance weights.
//
// Three agents with a network each play one step in two columns. All parameters are 0, so that every policy is uniform
// over its three actions and every value is 0. In column b an agent takes action b; action 2 is never taken. With w_b
// the factor of ∇ log π in the surrogate and n the agent's living rows, the gradient of its loss by its output biases
// is −(w_b − Σ w / 3) / n for action b and Σ w / 3n for action 2, hence w_b = −n (g_b − g_2). Adam's first moment after
// a step is a tenth of g (arXiv:1412.6980, algorithm 1).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "common/base/host_tensor.h"
#include "tests/algorithms/batch_builder.h"

namespace troupe {
namespace {

constexpr int kAgents = 3, kColumns = 2;
using Table = std::vector<std::vector<double>>;  // [agents][columns]

AlgorithmContext Context(const std::string& ppo, const std::string& critic = "heads: EACH_AGENT") {
  return MakeContext("policy { sharing: PER_AGENT hidden_sizes: [4] } critic { hidden_sizes: [4] " + critic +
                         " } ppo { " +
                         FieldsWith(ppo,
                                    "epochs: 1 discount: 0 entropy_coefficient: 0 max_gradient_norm: 0 "
                                    "value_normalization: false clip_value: false") +
                         " }",
                     {DiscreteGroup("players", kAgents, 1, 3)}, 0);
}

TrainingBatch BatchOf(const AlgorithmContext& context, const Table& rewards) {
  TrainingBatch batch = EmptyBatch(context.environment, 1, kColumns);
  batch.terminated.assign(kColumns, 1);
  for (int agent = 0; agent < kAgents; ++agent) {
    for (int column = 0; column < kColumns; ++column) {
      const int cell = column * kAgents + agent;
      batch.groups[0].discrete_actions[cell] = column;
      batch.groups[0].rewards[cell] = static_cast<float>(rewards[agent][column]);
    }
  }
  return batch;
}

struct Outcome {
  std::map<std::string, double> figures;
  std::map<std::string, HostTensor> state;

  // Entry i from the end of a network's first moment, over what the first step multiplies a gradient with.
  double GradientFromEnd(const std::string& network, int64_t i) const {
    const HostTensor& moment = state.at(network + "/adam.first_moment");
    return moment.floats()[moment.num_elements() - 1 - i] / 0.1;
  }
  // w [agents][columns], of agents that live in so many columns.
  Table Weights(const std::vector<int>& living = {2, 2, 2}) const {
    Table weights(kAgents, std::vector<double>(kColumns));
    for (int agent = 0; agent < kAgents; ++agent) {
      const auto gradient = [&](int action) {
        return GradientFromEnd("actor/players", (kAgents - 1 - agent) * 3 + 2 - action);
      };
      for (int column = 0; column < kColumns; ++column) {
        weights[agent][column] = -living[agent] * (gradient(column) - gradient(2));
      }
    }
    return weights;
  }
};

Outcome Step(const AlgorithmContext& context, const TrainingBatch& batch, const UpdateProgress& progress = {}) {
  const auto algorithm = CreateAlgorithm(context).value();
  std::vector<HostTensor> state = algorithm->SaveState();
  for (HostTensor& tensor : state) std::fill(tensor.bytes.begin(), tensor.bytes.end(), 0);
  EXPECT_TRUE(algorithm->LoadState(state).ok());
  const auto figures = algorithm->Update(batch, progress);
  EXPECT_TRUE(figures.ok()) << figures.status();
  Outcome outcome;
  if (figures.ok()) outcome.figures = {figures->values.begin(), figures->values.end()};
  for (HostTensor& tensor : algorithm->SaveState()) outcome.state[tensor.name] = tensor;
  return outcome;
}

void ExpectTable(const Table& came, const Table& expected) {
  for (int agent = 0; agent < kAgents; ++agent) {
    for (int column = 0; column < kColumns; ++column) {
      EXPECT_NEAR(came[agent][column], expected[agent][column], 2e-5) << "agent " << agent << ", column " << column;
    }
  }
}

// Agent 1 is dead in column 1, where it is still paid.
TrainingBatch WithADeadAgent(const AlgorithmContext& context) {
  TrainingBatch batch = BatchOf(context, {{1, 3}, {2, 50}, {6, 8}});
  batch.groups[0].alive[1 * kAgents + 1] = 0;
  return batch;
}

TEST(UpdateNumbers, AdvantagesOfTheLivingHaveMeanZeroAndDeviationOne) {
  const AlgorithmContext context = Context("");
  // 1, 3, 2, 6, 8: mean 4, variance (9 + 1 + 4 + 4 + 16) / 5.
  const double deviation = std::sqrt(6.8) + 1e-5;
  ExpectTable(Step(context, WithADeadAgent(context)).Weights({2, 1, 2}),
              {{-3 / deviation, -1 / deviation}, {-2 / deviation, 0}, {2 / deviation, 4 / deviation}});
}

TEST(UpdateNumbers, AdvantagesOfEachAgentByItself) {
  const AlgorithmContext context = Context("advantage_normalization_per_agent: true");
  ExpectTable(Step(context, WithADeadAgent(context)).Weights({2, 1, 2}), {{-1, 1}, {0, 0}, {-1, 1}});
}

TEST(UpdateNumbers, AdvantagesAreTheScaledRewardsWhereNothingFollowsAndNothingIsNormalised) {
  const AlgorithmContext context = Context("advantage_normalization: false reward_scale: 0.5");
  ExpectTable(Step(context, WithADeadAgent(context)).Weights({2, 1, 2}), {{0.5, 1.5}, {1, 0}, {3, 4}});
}

// π / μ is 2/3 in column 0, where actions had probability 1/2, and 2 in column 1, where they had 1/6.
TrainingBatch Lagging(const AlgorithmContext& context, const Table& rewards) {
  TrainingBatch batch = BatchOf(context, rewards);
  for (int agent = 0; agent < kAgents; ++agent) {
    batch.groups[0].log_probabilities[agent] = std::log(1.0f / 2);
    batch.groups[0].log_probabilities[kAgents + agent] = std::log(1.0f / 6);
  }
  return batch;
}

// min(r A, clip(r, 0.8, 1.2) A): the gradient is r A while it is the ratio's own term that counts, else 0.
TEST(UpdateNumbers, TheSurrogateStopsWhereTheRatioWentTooFarTheGoodWay) {
  const AlgorithmContext context = Context("advantage_normalization: false lag_correction: NONE");
  const Outcome outcome = Step(context, Lagging(context, {{1, 3}, {-1, -3}, {0, 0}}));
  ExpectTable(outcome.Weights(), {{2.0 / 3, 0}, {0, -6}, {0, 0}});
  // −(2/3 + 1.2 · 3 − 0.8 − 6) / 6
  EXPECT_NEAR(outcome.figures.at("policy_loss"), (0.8 + 6 - 2.0 / 3 - 3.6) / 6, 1e-6);
  EXPECT_NEAR(outcome.figures.at("clip_fraction"), 1.0, 1e-6);
  EXPECT_NEAR(outcome.figures.at("approx_kl"), (2.0 / 3 - 1 - std::log(2.0 / 3) + 2 - 1 - std::log(2.0)) / 2, 1e-6);
  EXPECT_NEAR(outcome.figures.at("entropy"), std::log(3.0), 1e-6);
}

TEST(UpdateNumbers, TheDecoupledObjectiveWeighsByProximalOverBehaviour) {
  const AlgorithmContext context = Context("advantage_normalization: false lag_correction: DECOUPLED");
  const Outcome outcome = Step(context, Lagging(context, {{1, 3}, {-1, -3}, {0, 0}}));
  ExpectTable(outcome.Weights(), {{2.0 / 3, 6}, {-2.0 / 3, -6}, {0, 0}});
  EXPECT_NEAR(outcome.figures.at("approx_kl"), 0.0, 1e-6);
  EXPECT_NEAR(outcome.figures.at("clip_fraction"), 0.0, 1e-6);
}

// With values 0 and nothing to follow, V-trace's target is ρ r, and a value head's bias has the gradient −Σ targets /
// n.
TEST(UpdateNumbers, VTraceClipsEachAgentsImportance) {
  const AlgorithmContext context = Context("lag_correction: V_TRACE vtrace_rho_clip: 1.5");
  const Outcome outcome = Step(context, Lagging(context, {{1, 3}, {-1, -2}, {0, 4}}));
  const double sums[kAgents] = {2.0 / 3 + 1.5 * 3, -2.0 / 3 - 1.5 * 2, 1.5 * 4};
  for (int agent = 0; agent < kAgents; ++agent) {
    EXPECT_NEAR(outcome.GradientFromEnd("critic/agents", kAgents - 1 - agent), -sums[agent] / 6, 1e-5) << agent;
  }
}

TEST(UpdateNumbers, ATeamsImportanceIsTheProductOverItsLivingAgents) {
  const AlgorithmContext context = Context("lag_correction: V_TRACE vtrace_rho_clip: 100", "team_reward: SUM");
  TrainingBatch batch = Lagging(context, {{1, 3}, {-1, -2}, {0, 4}});
  batch.groups[0].alive[1 * kAgents + 2] = 0;
  // (2/3)³ · 0 in column 0, 2² · (3 − 2 + 4) in column 1; Huber's loss is linear beyond 10.
  EXPECT_NEAR(Step(context, batch).GradientFromEnd("critic/team", 0), -10.0 / 2, 1e-5);
  AlgorithmContext squared = context;
  squared.experiment.mutable_ppo()->set_value_loss(SQUARED);
  EXPECT_NEAR(Step(squared, batch).GradientFromEnd("critic/team", 0), -20.0 / 2, 1e-5);
}

TEST(UpdateNumbers, LearningRatesAndTheEntropyCoefficientFallLinearlyToTheEndOfTheRun) {
  const AlgorithmContext context = Context(
      "actor_learning_rate: 0.004 critic_learning_rate: 0.002 anneal_learning_rate: true entropy_coefficient: 0.08 "
      "final_entropy_coefficient: 0.02");
  const TrainingBatch batch = BatchOf(context, {{1, 2}, {3, 4}, {5, 7}});
  struct Row {
    uint64_t env_steps;
    double actor, critic, entropy;
  };
  for (const Row& row : {Row{0, 0.004, 0.002, 0.08}, Row{250, 0.003, 0.0015, 0.065}, Row{900, 0.0004, 0.0002, 0.026},
                         Row{1000, 0, 0, 0.02}, Row{1500, 0, 0, 0.02}}) {
    const Outcome outcome = Step(context, batch, {.update = 1, .env_steps = row.env_steps, .total_env_steps = 1000});
    EXPECT_NEAR(outcome.figures.at("learning_rate"), row.actor, 1e-12);
    EXPECT_NEAR(outcome.figures.at("critic_learning_rate"), row.critic, 1e-12);
    EXPECT_NEAR(outcome.figures.at("entropy_coefficient"), row.entropy, 1e-12);
    // Adam's first step moves a parameter by the learning rate, but for epsilon (1e-5).
    const HostTensor& bias = outcome.state.at("actor/players/output.bias");
    EXPECT_NEAR(std::abs(bias.floats()[0]), row.actor, 1e-3 * row.actor);
    EXPECT_NEAR(std::abs(outcome.state.at("critic/agents/output.bias").floats()[0]), row.critic, 1e-3 * row.critic);
  }
}

}  // namespace
}  // namespace troupe
