// ppo.update_order SEQUENTIAL: the order, the factor by hand, and what an update makes of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "learner/algorithms/modules/sequential_factor.h"
#include "learner/algorithms/modules/update_figures.h"
#include "learner/algorithms/modules/update_order.h"
#include "tests/algorithms/batch_builder.h"
#include "tests/algorithms/trained.h"

namespace troupe {
namespace {

constexpr int kSteps = 12, kColumns = 4, kUpdates = 3;

TEST(UpdateOrder, HoldsEverySetOnceAndFollowsTheKeyAlone) {
  const std::vector<ParameterSet> all = {{0, 0}, {1, 0}, {1, 1}};
  std::set<std::vector<int>> seen;
  for (uint64_t key = 0; key < 200; ++key) {
    const std::vector<ParameterSet> order = DrawUpdateOrder({1, 2}, key);
    EXPECT_THAT(order, ::testing::UnorderedElementsAreArray(all));
    EXPECT_EQ(order, DrawUpdateOrder({1, 2}, key));
    std::vector<int> places;
    for (const ParameterSet& place : order) {
      places.push_back(static_cast<int>(std::ranges::find(all, place) - all.begin()));
    }
    seen.insert(places);
  }
  EXPECT_EQ(seen.size(), 6) << "every order of three comes up";
}

float Log(double value) { return static_cast<float>(std::log(value)); }

// Two agents with a set each, at three steps. Agent 0 does what it did with these probabilities before and now: 0.2 and
// 0.5; 0.8 and 0.2; 0.5 and 0.25, while it is dead. Agent 1: 0.5 and 0.1; 0.4 and 0.6; 0.25 and 0.5.
TEST(SequentialFactor, IsTheProductOfTheRatiosOfThoseWhoHaveMovedAndLive) {
  PolicySpec policy{.num_agents = 2, .set_of_agent = {0, 1}};
  policy.stack.num_sets = 2;
  const std::vector<uint8_t> alive = {1, 1, 1, 1, 0, 1};
  const std::vector<float> before = {Log(0.2), Log(0.5), Log(0.8), Log(0.4), Log(0.5), Log(0.25)};
  const std::vector<float> now = {Log(0.5), Log(0.1), Log(0.2), Log(0.6), Log(0.25), Log(0.5)};
  const std::vector<float> advantages = {1.0f, 2.0f, -1.0f, 3.0f, 5.0f, -4.0f};

  SequentialFactor factor(3);
  EXPECT_EQ(factor.Times(advantages), advantages) << "nobody has moved yet";
  const auto expect = [&](const std::vector<double>& wanted) {
    const std::vector<float> came = factor.Times(advantages);
    for (size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(came[i], wanted[i], 1e-5) << i;
  };
  factor.TakeIn(policy, 0, alive, before, now);  // 5/2, 1/4, 1
  expect({2.5, 5, -0.25, 0.75, 5, -4});
  factor.TakeIn(policy, 1, alive, before, now);  // times 1/5, 3/2, 2
  expect({0.5, 1, -0.375, 1.125, 10, -8});
}

TEST(SequentialFactor, TakesInAllAgentsOfASetAndOfOtherGroups) {
  const PolicySpec pair{.num_agents = 2, .set_of_agent = {0, 0}}, one{.num_agents = 1, .set_of_agent = {0}};
  SequentialFactor factor(1);
  factor.TakeIn(pair, 0, {1, 1}, {Log(0.5), Log(0.2)}, {Log(0.75), Log(0.4)});  // 3/2 and 2
  factor.TakeIn(one, 0, {1}, {Log(0.9)}, {Log(0.3)});                           // 1/3
  EXPECT_NEAR(factor.Times({7.0f})[0], 7.0, 1e-5);
}

TEST(UpdateFigures, AddUp) {
  UpdateFigures figures;
  AddFigures({{{.sums = {1, 2}, .first = {3}, .gradient_norm = 4, .steps = 5, .skipped = 6}}}, &figures);
  AddFigures({{{.sums = {10, 20}, .first = {30}, .gradient_norm = 40, .steps = 50, .skipped = 60}}}, &figures);
  const SetFigures& sum = figures[0][0];
  EXPECT_EQ(sum.sums[0], 11);
  EXPECT_EQ(sum.sums[1], 22);
  EXPECT_EQ(sum.first[0], 33);
  EXPECT_EQ(sum.gradient_norm, 44);
  EXPECT_EQ(sum.steps, 55);
  EXPECT_EQ(sum.skipped, 66);
}

AlgorithmContext Context(const std::string& order, const std::string& more, const std::vector<AgentGroupSpec>& groups,
                         const ArithmeticOptions::Overrides& overrides = {}) {
  AlgorithmContext context = MakeContext(
      "collection { num_shards: 1 copies_per_shard: 4 rollout_length: 12 sequence_length: 5 } ppo { epochs: 3 "
      "actor_learning_rate: 0.003 critic_learning_rate: 0.003 update_order: " +
          order + " " + more,
      groups, 2);
  context.arithmetic.overrides = overrides;
  return context;
}

Trained Train(const AlgorithmContext& context, uint64_t updates = kUpdates) {
  const auto algorithm = CreateAlgorithm(context).value();
  return TrainOn(algorithm.get(), updates, kSteps * kColumns, [&](uint64_t update) {
    TrainingBatch batch = RandomBatch(context.environment, kSteps, kColumns, 100 + update);
    FillRemembered(context, static_cast<uint32_t>(update), &batch);
    return batch;
  });
}

constexpr char kDense[] = "} policy { hidden_sizes: [16] } critic { hidden_sizes: [16] }";
constexpr char kGru[] =
    "} policy { hidden_sizes: [8] recurrent_cell: GRU recurrent_size: 8 } critic { hidden_sizes: [8] recurrent_cell: "
    "LSTM recurrent_size: 8 }";

struct Way {
  std::string settings;
  ArithmeticOptions::Overrides overrides{};
  AgentGroupSpec group = DiscreteGroup("cars", 3, 5, 4);
};

std::vector<Way> Ways() {
  return {{kDense},
          {kDense, {.autograd = true}},
          {kDense, {.gpu_on_cpu = true}},
          {std::string("minibatch_size: 16 value_norm_update: PER_MINIBATCH ") + kDense},
          {std::string("minibatch_size: 16 value_norm_update: PER_MINIBATCH ") + kDense, {.gpu_on_cpu = true}},
          {std::string("minibatch_size: 16 target_kl: 0.004 ") + kDense},
          {std::string("lag_correction: DECOUPLED ") + kDense},
          {std::string("lag_correction: V_TRACE ") + kDense},
          {std::string("minibatch_size: 16 ") + kGru},
          {std::string("minibatch_size: 16 ") + kDense, {}, ContinuousGroup("cars", 3, 5, 2)}};
}

TEST(SequentialUpdate, OfASingleSetIsTheOneSideBySide) {
  for (const Way& way : Ways()) {
    const Trained together = Train(Context("TOGETHER", way.settings, {way.group}, way.overrides));
    const Trained in_turn = Train(Context("SEQUENTIAL", way.settings, {way.group}, way.overrides));
    EXPECT_EQ(in_turn.state, together.state) << way.settings;
    EXPECT_EQ(in_turn.statistics, together.statistics) << way.settings;
  }
}

// Tensors of a state by the parameter set, numbered through all networks' sets, whose parameters they are.
std::vector<std::vector<float>> SetsOf(const Trained& trained, const std::vector<std::pair<std::string, int>>& groups) {
  std::vector<std::vector<float>> sets;
  for (const auto& [group, count] : groups) {
    const size_t first = sets.size();
    sets.resize(first + count);
    for (const HostTensor& tensor : trained.state) {
      if (!tensor.name.starts_with("actor/" + group + "/") || tensor.name.find("adam") != std::string::npos) continue;
      const int64_t size = tensor.num_elements() / count;
      for (int set = 0; set < count; ++set) {
        sets[first + set].insert(sets[first + set].end(), tensor.floats() + set * size,
                                 tensor.floats() + (set + 1) * size);
      }
    }
  }
  return sets;
}

// In the first update whoever comes first has nobody before it; for all others it matters that somebody was, and the
// critics look at no actor.
TEST(SequentialUpdate, TheFirstSetMovesAsItWouldBesideTheOthersAndTheLaterOnesDoNot) {
  const std::vector<AgentGroupSpec> groups = {DiscreteGroup("cars", 3, 5, 4), DiscreteGroup("lights", 2, 7, 3)};
  const std::string more = std::string("minibatch_size: 16 ") + kDense +
                           " group_policies { key: \"cars\" value { sharing: PER_AGENT hidden_sizes: [16] } }";
  std::set<size_t> firsts;
  for (int seed = 1; seed <= 12; ++seed) {
    const std::string seeded = more + " seed: " + std::to_string(seed);
    const Trained together = Train(Context("TOGETHER", seeded, groups), 1);
    const Trained in_turn = Train(Context("SEQUENTIAL", seeded, groups), 1);
    const auto a = SetsOf(together, {{"cars", 3}, {"lights", 1}}), b = SetsOf(in_turn, {{"cars", 3}, {"lights", 1}});
    int alike = 0;
    for (size_t set = 0; set < a.size(); ++set) {
      if (a[set] != b[set]) continue;
      ++alike;
      firsts.insert(set);
    }
    EXPECT_EQ(alike, 1) << seed;
    for (size_t i = 0; i < together.state.size(); ++i) {
      if (!together.state[i].name.starts_with("critic/")) continue;
      EXPECT_EQ(in_turn.state[i], together.state[i]);
    }
    EXPECT_EQ(in_turn.statistics.at("epochs"), 3);
  }
  EXPECT_GT(firsts.size(), 2) << "and it is not always the same one";
}

// A set far from the policy that acted stops after an epoch; those whose turn is later do not.
TEST(SequentialUpdate, EverySetStopsByItsOwnKlAndCriticsGoOnWithTheLast) {
  const std::vector<AgentGroupSpec> groups = {DiscreteGroup("cars", 3, 5, 4), DiscreteGroup("lights", 2, 7, 3)};
  AlgorithmContext context = Context("SEQUENTIAL", std::string("target_kl: 0.00002 ") + kDense, groups);
  const auto algorithm = CreateAlgorithm(context).value();
  TrainingBatch batch = RandomBatch(context.environment, kSteps, kColumns, 5);
  // Nothing tells the lights' actions apart, so that they stay where they are.
  std::ranges::fill(batch.groups[1].alive, 0);
  const auto update = algorithm->Update(batch, {.update = 0, .env_steps = 0, .total_env_steps = 480});
  ASSERT_TRUE(update.ok());
  const std::map<std::string, double> values(update->values.begin(), update->values.end());
  EXPECT_EQ(values.at("epochs"), 3);
  const std::vector<HostTensor> state = algorithm->SaveState();
  const auto steps_of = [&](const std::string& network) {
    return std::ranges::find_if(state, [&](const HostTensor& t) { return t.name == network + "/adam.steps"; })
        ->floats()[0];
  };
  EXPECT_LT(steps_of("actor/cars"), 3);
  EXPECT_EQ(steps_of("actor/lights"), 3);
  EXPECT_EQ(steps_of("critic/team"), 3);
}

}  // namespace
}  // namespace troupe
