// Where MAPPO's arithmetic has edges: parameter sets of one group, stopping at target_kl, schedules of runs made
// longer, normalisers that move with every minibatch, weights of old actions.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>

#include "common/base/random.h"
#include "learner/algorithms/modules/minibatches.h"
#include "tests/algorithms/acted_batch.h"
#include "tests/algorithms/batch_builder.h"

namespace troupe {
namespace {

constexpr int kSteps = 24, kColumns = 4;

AlgorithmContext Context(const std::string& policy, const std::string& ppo, std::vector<AgentGroupSpec> groups) {
  return MakeContext("policy { hidden_sizes: [16] " + policy +
                         " } critic { hidden_sizes: [16] heads: TEAM } collection { num_shards: 1 copies_per_shard: 4 "
                         "rollout_length: 24 } ppo { " +
                         FieldsWith(ppo,
                                    "epochs: 3 minibatch_size: 24 actor_learning_rate: 0.003 "
                                    "critic_learning_rate: 0.003") +
                         " }",
                     std::move(groups), 2);
}

std::map<std::string, double> Update(Algorithm* algorithm, const TrainingBatch& batch,
                                     const UpdateProgress& progress = {.total_env_steps = 10000}) {
  const auto statistics = algorithm->Update(batch, progress);
  EXPECT_TRUE(statistics.ok()) << statistics.status();
  return {statistics->values.begin(), statistics->values.end()};
}

const HostTensor& Named(const std::vector<HostTensor>& state, const std::string& name) {
  for (const HostTensor& tensor : state) {
    if (tensor.name == name) return tensor;
  }
  throw std::runtime_error("no tensor " + name);
}

// --- Sets of one group are policies of their own --------------------------------------------------------------------

// Agent `agent`'s part of `all` [rows, agents, width].
template <typename T>
std::vector<T> PartOf(const std::vector<T>& all, int agents, int agent, int width) {
  std::vector<T> part;
  for (size_t row = 0; row < all.size() / (agents * width); ++row) {
    const auto from = all.begin() + static_cast<int64_t>((row * agents + agent) * width);
    part.insert(part.end(), from, from + width);
  }
  return part;
}

GroupBatch GroupOf(const GroupBatch& all, const AgentGroupSpec& spec, int agent) {
  const int agents = spec.num_agents();
  GroupBatch one;
  one.observations = PartOf(all.observations, agents, agent, spec.observation_size);
  one.final_observations = PartOf(all.final_observations, agents, agent, spec.observation_size);
  one.action_masks = PartOf(all.action_masks, agents, agent, spec.action_size);
  one.discrete_actions = PartOf(all.discrete_actions, agents, agent, 1);
  one.log_probabilities = PartOf(all.log_probabilities, agents, agent, 1);
  one.rewards = PartOf(all.rewards, agents, agent, 1);
  one.alive = PartOf(all.alive, agents, agent, 1);
  return one;
}

// Two agents with policies of their own, in one group or as two groups of one: the same thing. The batch's deaths, a
// norm that clips, a NaN of one agent's and a KL that stops one of them make every sum count that is taken over sets.
class SetsOfOneGroup : public ::testing::TestWithParam<std::string> {};

TEST_P(SetsOfOneGroup, LearnAsGroupsOfTheirOwn) {
  const AgentGroupSpec pair = DiscreteGroup("car", 2, 5, 4);
  const std::string ppo = GetParam() + " max_gradient_norm: 0.05 advantage_normalization_per_agent: true";
  for (const bool gpu : {false, true}) {
    AlgorithmContext together = Context("sharing: PER_AGENT", ppo, {pair});
    AlgorithmContext apart =
        Context("sharing: PER_AGENT", ppo, {DiscreteGroup("a", 1, 5, 4), DiscreteGroup("b", 1, 5, 4)});
    together.arithmetic.overrides.gpu_on_cpu = apart.arithmetic.overrides.gpu_on_cpu = gpu;
    const auto one = CreateAlgorithm(together).value(), two = CreateAlgorithm(apart).value();
    // The two groups begin as the sets do.
    const std::vector<HostTensor> start = one->SaveState();
    const auto split = [&](const std::vector<HostTensor>& state) {
      std::vector<HostTensor> parts;
      for (const HostTensor& like : two->SaveState()) {
        const bool first = like.name.rfind("actor/a/", 0) == 0, second = like.name.rfind("actor/b/", 0) == 0;
        if (!first && !second) {
          parts.push_back(Named(state, like.name));
          continue;
        }
        const std::string rest = like.name.substr(std::strlen("actor/a/"));
        HostTensor part = like;
        if (rest == "adam.first_moment" || rest == "adam.second_moment") {
          // Flat: every parameter's first set, then its second.
          const float* from = Named(state, "actor/car/" + rest).floats();
          float* to = part.floats();
          for (const DenseStackSpec::Parameter& parameter : together.policies[0].stack.Parameters()) {
            int64_t size = 1;
            for (size_t axis = 1; axis < parameter.shape.size(); ++axis) size *= parameter.shape[axis];
            std::copy_n(from + (second ? size : 0), size, to);
            from += 2 * size, to += size;
          }
        } else {
          const HostTensor& both = Named(state, "actor/car/" + rest);
          std::copy_n(both.floats() + (second ? like.num_elements() : 0), like.num_elements(), part.floats());
        }
        parts.push_back(std::move(part));
      }
      return parts;
    };
    ASSERT_TRUE(two->LoadState(split(start)).ok());
    for (uint64_t update = 0; update < 3; ++update) {
      TrainingBatch batch = RandomBatch(together.environment, kSteps, kColumns, 5 + update);
      // The second agent is dead half of the time.
      for (size_t i = 1; i < batch.groups[0].alive.size(); i += 4) batch.groups[0].alive[i] = 0;
      // What the first agent did is quite unlikely by now; of an action of the second's nothing is known.
      if (update == 1) batch.groups[0].log_probabilities[1 + 2 * 2] = std::nanf("");
      if (update == 1) batch.groups[0].alive[1 + 2 * 2] = 1;
      TrainingBatch parts = batch;
      parts.groups = {GroupOf(batch.groups[0], pair, 0), GroupOf(batch.groups[0], pair, 1)};
      const auto a = Update(one.get(), batch), b = Update(two.get(), parts);
      for (const auto& [name, value] : a) {
        EXPECT_NEAR(value, b.at(name), 1e-5 * (1 + std::abs(value))) << name << " of update " << update;
      }
    }
    const std::vector<HostTensor> end = one->SaveState(), expected = two->SaveState(), came = split(end);
    for (size_t i = 0; i < came.size(); ++i) {
      ASSERT_EQ(came[i].name, expected[i].name);
      if (came[i].data_type != DataType::kFloat32) continue;
      for (int64_t k = 0; k < came[i].num_elements(); ++k) {
        ASSERT_NEAR(came[i].floats()[k], expected[i].floats()[k], 1e-5) << came[i].name << " " << k << " gpu " << gpu;
      }
    }
    // And the cases are what they are meant to be: the second set left out minibatches that the first took.
    const HostTensor& steps = Named(end, "actor/car/adam.steps");
    ASSERT_EQ(steps.num_elements(), 2);
    EXPECT_GT(steps.floats()[0], steps.floats()[1]);
  }
}

INSTANTIATE_TEST_SUITE_P(Ppo, SetsOfOneGroup,
                         ::testing::Values("epochs: 3", "minibatch_size: 0", "target_kl: 0.002 epochs: 6",
                                           "lag_correction: DECOUPLED"));

TEST(AdamSteps, ASingleCountOfAnOlderCheckpointStandsForEverySet) {
  const AlgorithmContext context = Context("sharing: PER_AGENT", "epochs: 2", {DiscreteGroup("car", 3, 5, 4)});
  const auto algorithm = CreateAlgorithm(context).value();
  Update(algorithm.get(), RandomBatch(context.environment, kSteps, kColumns, 3));
  std::vector<HostTensor> state = algorithm->SaveState();
  for (HostTensor& tensor : state) {
    const float eight = 8;
    if (tensor.name == "actor/car/adam.steps") tensor = HostTensor::Float32(tensor.name, {1}, &eight);
  }
  ASSERT_TRUE(algorithm->LoadState(state).ok());
  const std::vector<HostTensor> loaded = algorithm->SaveState();
  const HostTensor& steps = Named(loaded, "actor/car/adam.steps");
  ASSERT_EQ(steps.num_elements(), 3);
  for (int set = 0; set < 3; ++set) EXPECT_EQ(steps.floats()[set], 8);
}

// --- target_kl ------------------------------------------------------------------------------------------------------

double MeanKl(const std::vector<double>& before, const std::vector<double>& now, const std::vector<uint8_t>& alive) {
  double sum = 0, count = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    if (alive[i] == 0) continue;
    const double log_ratio = now[i] - before[i];
    sum += std::exp(log_ratio) - 1 - log_ratio;
    count += 1;
  }
  return sum / count;
}

TEST(TargetKl, IsMeasuredFromThePolicyAtTheUpdatesStart) {
  const std::vector<AgentGroupSpec> groups = {DiscreteGroup("car", 3, 5, 4)};
  // Actions of a policy far away: the KL from it is large, whatever this update does.
  const auto train = [&](const std::string& rate) {
    const AlgorithmContext context = Context("", "target_kl: 0.01 epochs: 4 actor_learning_rate: " + rate, groups);
    const auto algorithm = CreateAlgorithm(context).value();
    TrainingBatch batch = RandomBatch(context.environment, kSteps, kColumns, 3);
    for (float& value : batch.groups[0].log_probabilities) value = -4;
    const std::vector<double> before =
        LogProbabilitiesOf(algorithm->ExportPolicy({.update = 0}), context.policies[0], batch.groups[0]);
    auto statistics = Update(algorithm.get(), batch);
    const std::vector<double> now =
        LogProbabilitiesOf(algorithm->ExportPolicy({.update = 1}), context.policies[0], batch.groups[0]);
    statistics["expected_kl"] = MeanKl(before, now, batch.groups[0].alive);
    return statistics;
  };
  auto still = train("0.0000001");
  EXPECT_EQ(still.at("epochs"), 4) << "nothing moves, so nothing stops the update";
  EXPECT_GT(still.at("approx_kl"), 1.0);
  EXPECT_LT(still.at("update_kl"), 1e-6);
  auto moved = train("0.01");
  EXPECT_LT(moved.at("epochs"), 4);
  EXPECT_GT(moved.at("update_kl"), 0.01);
  EXPECT_NEAR(moved.at("update_kl"), moved.at("expected_kl"), 1e-4 * moved.at("expected_kl"));
}

// --- Schedules ------------------------------------------------------------------------------------------------------

TEST(Schedules, RunOverTheirOwnSpanHoweverLongTheRun) {
  const auto rates = [](const std::string& span, uint64_t total) {
    const AlgorithmContext context = Context("", "anneal_learning_rate: true final_entropy_coefficient: 0.03 " + span,
                                             {DiscreteGroup("car", 3, 5, 4)});
    return Update(CreateAlgorithm(context).value().get(), RandomBatch(context.environment, kSteps, kColumns, 3),
                  {.update = 1, .env_steps = 240, .total_env_steps = total});
  };
  // A quarter of the way: rates 0.003 · 3/4; entropy from its default 0.01 a quarter of the way to 0.03.
  for (const auto& values :
       {rates("", 960), rates("schedule_env_steps: 960", 960), rates("schedule_env_steps: 960", 5000)}) {
    EXPECT_NEAR(values.at("learning_rate"), 0.00225, 1e-9);
    EXPECT_NEAR(values.at("critic_learning_rate"), 0.00225, 1e-9);
    EXPECT_NEAR(values.at("entropy_coefficient"), 0.015, 1e-9);
  }
  EXPECT_EQ(rates("schedule_env_steps: 100", 5000).at("learning_rate"), 0) << "past their end they stay there";
}

// --- ValueNorm ------------------------------------------------------------------------------------------------------

TEST(ValueNormUpdate, PerMinibatchTakesInEveryMinibatchOfEveryEpoch) {
  // So small a discount that a step's target is its reward.
  const AlgorithmContext context =
      Context("", "discount: 1e-12 epochs: 2 minibatch_size: 32 value_norm_update: PER_MINIBATCH",
              {DiscreteGroup("car", 1, 5, 4)});
  const auto algorithm = CreateAlgorithm(context).value();
  const TrainingBatch batch = RandomBatch(context.environment, kSteps, kColumns, 3, /*ends=*/false);
  Update(algorithm.get(), batch, {.update = 6, .total_env_steps = 10000});
  double state[3] = {0, 0, 0};
  for (uint64_t epoch = 0; epoch < 2; ++epoch) {
    const auto minibatches =
        DealMinibatches(kSteps * kColumns, 32, MixKey({context.experiment.seed(), 0x73, 6, epoch}));
    ASSERT_EQ(minibatches.size(), 3);
    for (const std::vector<int64_t>& minibatch : minibatches) {
      double sums[3] = {0, 0, 0};
      for (const int64_t step : minibatch) {
        if (batch.groups[0].alive[step] == 0) continue;
        const double reward = batch.groups[0].rewards[step];
        sums[0] += reward, sums[1] += reward * reward, sums[2] += 1;
      }
      const double moments[3] = {sums[0] / sums[2], sums[1] / sums[2], 1};
      for (int i = 0; i < 3; ++i) state[i] = 0.99999 * state[i] + 0.00001 * moments[i];
    }
  }
  const std::vector<HostTensor> saved = algorithm->SaveState();
  double came[3];
  std::memcpy(came, Named(saved, "critic/team/value_norm").bytes.data(), sizeof(came));
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(came[i], state[i], 1e-6 * std::abs(state[i])) << i;
}

// --- Weights of old actions -----------------------------------------------------------------------------------------

TEST(ImportanceCap, CutsTheWeightsAndCountsThem) {
  const auto train = [](const std::string& cap) {
    const AlgorithmContext context = Context(
        "", "lag_correction: DECOUPLED epochs: 1 minibatch_size: 0 actor_learning_rate: 1e-12 importance_cap: " + cap,
        {DiscreteGroup("car", 2, 5, 4)});
    TrainingBatch batch = RandomBatch(context.environment, kSteps, kColumns, 3);
    // Half of the actions were next to impossible when they were taken, the others certain.
    for (size_t i = 0; i < batch.groups[0].log_probabilities.size(); ++i) {
      batch.groups[0].log_probabilities[i] = i / 2 % 2 == 0 ? -9.0f : 0.0f;
      batch.groups[0].alive[i] = 1;
    }
    return Update(CreateAlgorithm(context).value().get(), batch);
  };
  const auto three = train("3"), seven = train("7"), none = train("1000000");
  EXPECT_DOUBLE_EQ(three.at("capped_importance_fraction"), 0.5);
  EXPECT_DOUBLE_EQ(seven.at("capped_importance_fraction"), 0.5);
  EXPECT_DOUBLE_EQ(none.at("capped_importance_fraction"), 0);
  // With ratio 1 the loss is −mean(weight · advantage): linear in the cap, by the capped half's mean advantage.
  const double slope = (seven.at("policy_loss") - three.at("policy_loss")) / 4;
  EXPECT_GT(std::abs(slope), 1e-3);
  const auto five = train("5");
  EXPECT_NEAR(five.at("policy_loss"), three.at("policy_loss") + 2 * slope, 1e-5);
}

}  // namespace
}  // namespace troupe
