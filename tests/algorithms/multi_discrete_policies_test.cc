// Policies of several indices: the loss of a whole action worked out by hand, and a team of every kind of actions.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "learner/arithmetic/networks/dense_stack.h"
#include "learner/arithmetic/objectives/clipped_policy.h"
#include "tests/algorithms/tiny_game.h"

namespace troupe {
namespace {

struct RowResult {
  std::vector<float> gradient;
  Objective::Figures figures{};
};

// One living row: what was taken of each index, the log-probability in the ratio's denominator, the advantage.
RowResult OfRow(const std::vector<int>& sizes, std::vector<float> logits, const std::vector<uint8_t>& masks,
                const std::vector<int>& taken, double reference, float advantage, double entropy_coefficient) {
  const ClippedPolicyObjective objective(0.2, sizes);
  std::vector<float> fields(PolicyRow::kAction);
  fields[PolicyRow::kReferenceLogProb] = static_cast<float>(reference);
  fields[PolicyRow::kImportance] = fields[PolicyRow::kAlive] = 1;
  fields[PolicyRow::kAdvantage] = advantage;
  fields.insert(fields.end(), taken.begin(), taken.end());
  const auto width = static_cast<int64_t>(logits.size());
  EXPECT_EQ(objective.FieldsPerRow(width), fields.size());
  RowResult result{std::vector<float>(logits.size(), 7.0f)};
  objective.Rows({.outputs = logits.data(), .rows = 1, .width = width, .fields = fields.data(), .masks = masks.data()},
                 1, {entropy_coefficient}, result.gradient.data(), &result.figures);
  return result;
}

void ExpectNear(const std::vector<float>& came, const std::vector<double>& expected) {
  ASSERT_EQ(came.size(), expected.size());
  for (size_t i = 0; i < came.size(); ++i) EXPECT_NEAR(came[i], expected[i], 2e-6) << i;
}

// π = 1/2 · 1/2. Each index has become 1.15 times as likely, the action 1.3225 times: clipped, though no index by
// itself would be.
TEST(MultiDiscreteObjective, ClipsTheRatioOfTheWholeActionOnce) {
  const double reference = std::log(0.25 / 1.3225);
  const RowResult better = OfRow({2, 2}, {0, 0, 0, 0}, {1, 1, 1, 1}, {0, 1}, reference, 1, 0);
  EXPECT_NEAR(better.figures[PolicyLossSum::kSurrogate], -1.2, 1e-6);
  EXPECT_EQ(better.figures[PolicyLossSum::kClipFraction], 1);
  EXPECT_NEAR(better.figures[PolicyLossSum::kApproxKl], 0.3225 - std::log(1.3225), 1e-6);
  ExpectNear(better.gradient, {0, 0, 0, 0});
  const RowResult worse = OfRow({2, 2}, {0, 0, 0, 0}, {1, 1, 1, 1}, {0, 1}, reference, -1, 0);
  EXPECT_NEAR(worse.figures[PolicyLossSum::kSurrogate], 1.3225, 1e-6);
  ExpectNear(worse.gradient, {0.66125, -0.66125, -0.66125, 0.66125});
}

// Probabilities 1/4 and 3/4, and 1/4 of each of four: entropies 2 ln 2 − 3/4 ln 3 and 2 ln 2. Of the first,
// dH / d logit = −p (ln p + H).
TEST(MultiDiscreteObjective, TheEntropyIsTheSumOfAllIndicesAndIsDifferentiated) {
  const double ln2 = std::log(2), ln3 = std::log(3), first = 2 * ln2 - 0.75 * ln3;
  const RowResult row =
      OfRow({2, 4}, {0, static_cast<float>(ln3), 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1}, {1, 2}, std::log(3.0 / 16), 0, 0.1);
  EXPECT_NEAR(row.figures[PolicyLossSum::kEntropy], first + 2 * ln2, 1e-6);
  EXPECT_NEAR(row.figures[PolicyLossSum::kApproxKl], 0, 1e-6);
  const double slope = 0.1 * 0.25 * (-2 * ln2 + first);
  ExpectNear(row.gradient, {slope, -slope, 0, 0, 0, 0});
}

TEST(MultiDiscreteObjective, ForbiddenChoicesTakeNoPart) {
  const double ln2 = std::log(2);
  const RowResult row = OfRow({3, 2}, {0, 9, 0, 5, 0}, {1, 0, 1, 0, 1}, {2, 1}, -ln2, 1, 0);
  EXPECT_NEAR(row.figures[PolicyLossSum::kSurrogate], -1, 1e-6) << "1/2 of what is allowed, times 1";
  EXPECT_NEAR(row.figures[PolicyLossSum::kEntropy], ln2, 1e-6);
  ExpectNear(row.gradient, {0.5, 0, -0.5, 0, 0});
}

// --- a team ---------------------------------------------------------------------------------------------------------

constexpr double kHeading = 0.4;

// What an agent's network puts out for its one-hot number, and its log σ.
struct Outputs {
  std::vector<double> values;
  double log_std = 0;
};

Outputs OutputsOf(const PolicySpec& policy, const PolicySnapshot& snapshot, int agent) {
  const at::NoGradGuard no_gradient;
  std::vector<at::Tensor> parts;
  Outputs outputs;
  for (const DenseStackSpec::Parameter& parameter : policy.Parameters()) {
    for (const HostTensor& tensor : snapshot.tensors) {
      if (tensor.name != policy.group + "/" + parameter.name) continue;
      parts.push_back(at::from_blob(const_cast<float*>(tensor.floats()), {tensor.num_elements()}, at::kFloat));
      if (parameter.name == "log_std") outputs.log_std = tensor.floats()[policy.set_of_agent[agent]];
    }
  }
  at::Tensor x = at::zeros({policy.stack.num_sets, 1, policy.stack.input_size}, at::kFloat);
  x.select(2, agent).fill_(1);
  if (policy.agent_id_input) x.select(2, policy.observation_size + agent).fill_(1);
  const at::Tensor y = ForwardReference(policy.stack, at::cat(parts), x)[policy.set_of_agent[agent]][0];
  for (int64_t i = 0; i < y.numel(); ++i) outputs.values.push_back(y[i].item<double>());
  return outputs;
}

// One of `size` choices by the softmax of `logits`; adds its log-probability.
int Draw(const double* logits, int size, RandomStream* random, double* log_probability) {
  double total = 0;
  for (int i = 0; i < size; ++i) total += std::exp(logits[i]);
  int choice = 0;
  for (double left = random->Uniform() * total; choice + 1 < size && left >= std::exp(logits[choice]); ++choice) {
    left -= std::exp(logits[choice]);
  }
  *log_probability += logits[choice] - std::log(total);
  return choice;
}

struct Learnt {
  double pilot = 0;            // mean reward, at most 0
  double tower = 0, crew = 0;  // share of good actions
};

// A pilot is paid −(action − 0.4)², the tower 1 for action 2, the two of the crew 1 each where both their indices are
// right, their number plus 1 and one minus their number. Episodes take a step.
Learnt LearnTogether(const std::string& settings, int updates) {
  const AlgorithmContext context = MakeContext(
      settings,
      {ContinuousGroup("pilot", 1, 1, 1), DiscreteGroup("tower", 1, 1, 3), MultiDiscreteGroup("crew", 2, 2, {3, 2})},
      0);
  const auto algorithm = CreateAlgorithm(context).value();
  const int steps = 8, columns = 64;
  const uint64_t total = uint64_t{steps} * columns * updates;
  RandomStream random(8);
  Learnt learnt;
  for (int update = 0; update <= updates; ++update) {
    const UpdateProgress progress{static_cast<uint64_t>(update), total * update / updates, total};
    const PolicySnapshot snapshot = algorithm->ExportPolicy(progress);
    TrainingBatch batch = EmptyBatch(context.environment, steps, columns);
    batch.terminated.assign(batch.terminated.size(), 1);
    learnt = {};
    for (size_t g = 0; g < batch.groups.size(); ++g) {
      GroupBatch& group = batch.groups[g];
      const PolicySpec& policy = context.policies[g];
      const int agents = policy.num_agents;
      std::vector<Outputs> outputs;
      for (int a = 0; a < agents; ++a) outputs.push_back(OutputsOf(policy, snapshot, a));
      for (size_t i = 0; i < group.alive.size(); ++i) group.observations[i * agents + i % agents] = 1;
      for (size_t i = 0; i < group.rewards.size(); ++i) {
        const int a = static_cast<int>(i) % agents;
        const Outputs& of = outputs[a];
        double log_probability = 0, reward = 0;
        if (g == 0) {
          const double z = random.Normal();
          const auto u = static_cast<float>(of.values[0] + std::exp(of.log_std) * z);
          group.continuous_actions[i] = u;
          log_probability = -0.5 * z * z - of.log_std - 0.5 * std::log(2 * M_PI);
          reward = -std::pow(std::clamp<double>(u, -1, 1) - kHeading, 2);
        } else if (g == 1) {
          group.discrete_actions[i] = Draw(of.values.data(), 3, &random, &log_probability);
          reward = group.discrete_actions[i] == 2 ? 1 : 0;
        } else {
          const int first = Draw(of.values.data(), 3, &random, &log_probability);
          const int second = Draw(of.values.data() + 3, 2, &random, &log_probability);
          group.multi_discrete_actions[2 * i] = first;
          group.multi_discrete_actions[2 * i + 1] = second;
          reward = first == a + 1 && second == 1 - a ? 1 : 0;
        }
        group.log_probabilities[i] = static_cast<float>(log_probability);
        group.rewards[i] = static_cast<float>(reward);
        (g == 0   ? learnt.pilot
         : g == 1 ? learnt.tower
                  : learnt.crew) += reward / static_cast<double>(group.rewards.size());
      }
    }
    if (update == updates) break;
    EXPECT_TRUE(algorithm->Update(batch, progress).ok());
  }
  return learnt;
}

TEST(MultiDiscreteGames, AllKindsOfActionsLearnInOneTeam) {
  const std::string networks = "critic { heads: EACH_AGENT hidden_sizes: [32] } policy { hidden_sizes: [16] ";
  for (const std::string policy : {"", "sharing: PER_AGENT", "agent_id_input: true"}) {
    const Learnt learnt = LearnTogether(networks + policy + " } " + Fast("anneal_learning_rate: true"), 80);
    EXPECT_GT(learnt.pilot, -0.08) << policy << ": -1 at first, but for what is clipped";
    EXPECT_GT(learnt.tower, 0.9) << policy << ": 1/3 at first";
    EXPECT_GT(learnt.crew, 0.9) << policy << ": 1/6 at first";
  }
}

TEST(MultiDiscretePolicies, BeginWithTheEntropyOfChoosingAnythingAlike) {
  const AlgorithmContext context = MakeContext("policy { hidden_sizes: [4] } ppo { actor_learning_rate: 0 }",
                                               {MultiDiscreteGroup("crew", 2, 3, {3, 2, 5})}, 0);
  const auto algorithm = CreateAlgorithm(context).value();
  const auto done =
      algorithm->Update(RandomBatch(context.environment, 4, 4, 5, /*ends=*/false), {.total_env_steps = 1});
  ASSERT_TRUE(done.ok()) << done.status();
  const std::map<std::string, double> figures = {done->values.begin(), done->values.end()};
  EXPECT_NEAR(figures.at("entropy"), std::log(30), 1e-3);
}

}  // namespace
}  // namespace troupe
