#include "learner/algorithms/modules/joint_actions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/algorithms/batch_builder.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::Pointwise;

// Two drivers of three choices, a speaker of two and three, a pilot of two numbers: 6 + 5 + 2 numbers.
AlgorithmContext Team(const std::string& more = "") {
  return MakeContext("algorithm { name: \"maddpg\" } " + more,
                     {DiscreteGroup("drivers", 2, 1, 3), MultiDiscreteGroup("speaker", 1, 1, {2, 3}),
                      ContinuousGroup("pilot", 1, 1, 2)},
                     0);
}

TEST(JointActionsTest, EveryAgentsNumbersStandInTheOrderOfGroups) {
  const std::vector<ValuedGroup> groups = ValuedGroups(Team().policies);
  const JointActionLayout layout(groups);
  EXPECT_EQ(layout.size(), 13);
  EXPECT_EQ(layout.At(groups[0], 0), 0);
  EXPECT_EQ(layout.At(groups[0], 1), 3);
  EXPECT_EQ(layout.At(groups[1], 0), 6);
  EXPECT_EQ(layout.At(groups[2], 0), 11);
}

TEST(JointActionsTest, RecordedActionsAreOneHotOrWithinBoundsAndZerosOfTheDead) {
  const AlgorithmContext context = Team();
  const std::vector<ValuedGroup> groups = ValuedGroups(context.policies);
  const JointActionLayout layout(groups);
  TrainingBatch batch = EmptyBatch(context.environment, 1, 2);
  batch.groups[0].discrete_actions = {2, 0, 1, 1};
  batch.groups[0].alive[2] = 0;
  batch.groups[1].multi_discrete_actions = {1, 2, 0, 1};
  batch.groups[2].continuous_actions = {0.5f, -1.5f, 3.0f, -0.25f};
  std::vector<float> rows(2 * 13, 9.0f);
  for (size_t g = 0; g < 3; ++g) WriteRecordedActions(layout, groups[g], batch.groups[g], 2, rows.data());
  EXPECT_THAT(std::vector<float>(rows.begin(), rows.begin() + 13),
              ElementsAre(0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0.5f, -1));
  EXPECT_THAT(std::vector<float>(rows.begin() + 13, rows.end()),
              ElementsAre(0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1, -0.25f));
}

// One agent alone: what its outputs make it do at `steps` joint steps.
std::vector<float> Acted(const AlgorithmContext& context, const std::vector<float>& outputs, int64_t steps,
                         const uint8_t* mask, ActingRules rules, std::vector<float>* relaxed) {
  const std::vector<ValuedGroup> groups = ValuedGroups(context.policies);
  const JointActionLayout layout(groups);
  std::vector<float> all;
  std::vector<uint8_t> masks;
  std::vector<uint64_t> keys;
  for (int64_t step = 0; step < steps; ++step) {
    all.insert(all.end(), outputs.begin(), outputs.end());
    for (size_t j = 0; j < outputs.size() && mask != nullptr; ++j) masks.push_back(mask[j]);
    keys.push_back(MixKey({3, static_cast<uint64_t>(step)}));
  }
  const std::vector<uint8_t> alive(steps, 1);
  rules.keys = keys.data();
  std::vector<float> rows(steps * layout.size());
  WriteActorActions(
      layout, groups[0],
      {.outputs = all.data(), .masks = mask == nullptr ? nullptr : masks.data(), .alive = alive.data(), .steps = steps},
      rules, rows.data(), relaxed);
  return rows;
}

AlgorithmContext One(const AgentGroupSpec& group, const std::string& more = "") {
  return MakeContext("algorithm { name: \"maddpg\" } " + more, {group}, 0);
}

// Logits log 1, log 2, log 3: probabilities 1/6, 2/6, 3/6, whatever the temperature.
TEST(JointActionsTest, GumbelNumbersDrawFromTheSoftmax) {
  constexpr int64_t kSteps = 20000;
  const AlgorithmContext context = One(DiscreteGroup("one", 1, 1, 3));
  for (const double temperature : {0.5, 1.0}) {
    std::vector<float> relaxed;
    const std::vector<float> rows =
        Acted(context, {0.0f, std::log(2.0f), std::log(3.0f)}, kSteps, nullptr, {.temperature = temperature}, &relaxed);
    for (int j = 0; j < 3; ++j) {
      double share = 0;
      for (int64_t step = 0; step < kSteps; ++step) share += rows[step * 3 + j] / kSteps;
      const double p = (j + 1) / 6.0;
      EXPECT_NEAR(share, p, 4 * std::sqrt(p * (1 - p) / kSteps)) << temperature << " " << j;
    }
    for (int64_t step = 0; step < kSteps; ++step) {
      const float* const p = &relaxed[step * 3];
      EXPECT_NEAR(p[0] + p[1] + p[2], 1, 1e-6);
      EXPECT_EQ(rows[step * 3 + (std::max_element(p, p + 3) - p)], 1.0f);
    }
  }
}

TEST(JointActionsTest, WhatIsForbiddenTakesNoPart) {
  const AlgorithmContext context = One(DiscreteGroup("one", 1, 1, 3));
  const uint8_t mask[] = {1, 0, 1};
  std::vector<float> relaxed;
  const std::vector<float> rows = Acted(context, {0.0f, 50.0f, std::log(3.0f)}, 1000, mask, {}, &relaxed);
  double last = 0;
  for (int64_t step = 0; step < 1000; ++step) {
    EXPECT_EQ(rows[step * 3 + 1], 0.0f);
    EXPECT_EQ(relaxed[step * 3 + 1], 0.0f);
    last += rows[step * 3 + 2] / 1000;
  }
  EXPECT_NEAR(last, 0.75, 4 * std::sqrt(0.75 * 0.25 / 1000));
}

TEST(JointActionsTest, GreedyActorsDoWhatLooksBestAndAreFollowedThroughTheSoftmax) {
  const AlgorithmContext context =
      One(MultiDiscreteGroup("one", 1, 1, {2, 3}), "policy { distribution: MULTI_CATEGORICAL }");
  const AlgorithmContext greedy = One(DiscreteGroup("one", 1, 1, 3), "policy { distribution: EPSILON_GREEDY }");
  std::vector<float> relaxed;
  EXPECT_THAT(Acted(greedy, {0.0f, std::log(3.0f), 0.0f}, 1, nullptr, {}, &relaxed), ElementsAre(0, 1, 0));
  EXPECT_THAT(relaxed, Pointwise(::testing::FloatNear(1e-6f), std::vector<float>{0.2f, 0.6f, 0.2f}));
  // Multi-discrete: an index in each dimension.
  const std::vector<float> rows = Acted(context, {0, 0, 0, 0, 0}, 50, nullptr, {}, &relaxed);
  for (int64_t step = 0; step < 50; ++step) {
    EXPECT_EQ(rows[step * 5] + rows[step * 5 + 1], 1);
    EXPECT_EQ(rows[step * 5 + 2] + rows[step * 5 + 3] + rows[step * 5 + 4], 1);
  }
}

TEST(JointActionsTest, WithoutNoiseTheSoftmaxIsThePolicysWhateverIsDrawn) {
  const AlgorithmContext context = One(DiscreteGroup("one", 1, 1, 3));
  std::vector<float> relaxed;
  const std::vector<float> rows =
      Acted(context, {0.0f, std::log(2.0f), std::log(3.0f)}, 100, nullptr, {.relaxes_without_noise = true}, &relaxed);
  double last = 0;
  for (int64_t step = 0; step < 100; ++step) {
    for (int j = 0; j < 3; ++j) EXPECT_NEAR(relaxed[step * 3 + j], (j + 1) / 6.0, 1e-6);
    last += rows[step * 3 + 2] / 100;
  }
  EXPECT_NEAR(last, 0.5, 4 * std::sqrt(0.25 / 100));
}

TEST(JointActionsTest, AChoiceBelongsToADimension) {
  const std::vector<ValuedGroup> groups = ValuedGroups(Team().policies);
  const ActionDimension third = DimensionOf(groups[0].policy, 2), of_speaker = DimensionOf(groups[1].policy, 3);
  EXPECT_EQ(third.first, 0);
  EXPECT_EQ(third.count, 3);
  EXPECT_EQ(of_speaker.first, 2);
  EXPECT_EQ(of_speaker.count, 3);
}

// tanh 0.5 = 0.46211716; noise of deviation 1 beyond ±0.1 is that.
TEST(JointActionsTest, ContinuousActionsAreTanhAndTheirNoiseIsClipped) {
  const AlgorithmContext context = One(ContinuousGroup("one", 1, 1, 1));
  std::vector<float> relaxed;
  EXPECT_FLOAT_EQ(Acted(context, {0.5f}, 1, nullptr, {}, &relaxed)[0], 0.46211716f);
  const std::vector<float> rows = Acted(context, {0.5f}, 2000, nullptr, {.deviation = 1, .clip = 0.1}, &relaxed);
  double at_bounds = 0;
  for (const float action : rows) {
    EXPECT_LE(std::abs(action - 0.46211716f), 0.1f + 1e-6f);
    at_bounds += std::abs(std::abs(action - 0.46211716f) - 0.1f) < 1e-6f;
  }
  EXPECT_FLOAT_EQ(relaxed[7], 0.46211716f) << "what is differentiated has no noise";
  // 2 Φ(−0.1) = 0.920344.
  EXPECT_NEAR(at_bounds / 2000, 0.920344, 4 * std::sqrt(0.92 * 0.08 / 2000));
}

// Softmax's Jacobian is p_j (δ_jk − p_k) / temperature: from (1, 0) by the action, at p = (½, ½) and temperature ½, to
// ½ (1 − ½) / ½ and ½ (0 − ½) / ½. tanh's slope at 0.5 is 1 − 0.46211716² = 0.78644773.
TEST(JointActionsTest, SlopesByActionsBecomeSlopesByOutputs) {
  const std::vector<ValuedGroup> groups = ValuedGroups(Team().policies);
  std::vector<float> slopes(3);
  const PolicySpec two = One(DiscreteGroup("one", 1, 1, 2)).policies[0];
  ActorSlopes(two, 0.5, std::vector<float>{0.5f, 0.5f}.data(), std::vector<float>{1, 0}.data(), slopes.data());
  EXPECT_FLOAT_EQ(slopes[0], 0.5f);
  EXPECT_FLOAT_EQ(slopes[1], -0.5f);
  ActorSlopes(groups[2].policy, 1, std::vector<float>{0.46211716f, 0}.data(), std::vector<float>{2, -3}.data(),
              slopes.data());
  EXPECT_FLOAT_EQ(slopes[0], 2 * 0.78644773f);
  EXPECT_FLOAT_EQ(slopes[1], -3);
  // Dimensions by themselves: the first's slopes are alike, so nothing moves there.
  std::vector<float> both(5, 9.0f);
  ActorSlopes(groups[1].policy, 1, std::vector<float>{0.25f, 0.75f, 0.5f, 0.5f, 0}.data(),
              std::vector<float>{4, 4, 1, 0, 7}.data(), both.data());
  EXPECT_THAT(both, Pointwise(::testing::FloatNear(1e-6f), std::vector<float>{0, 0, 0.25f, -0.25f, 0}));
}

}  // namespace
}  // namespace troupe
