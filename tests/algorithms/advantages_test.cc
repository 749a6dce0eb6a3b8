#include "learner/algorithms/modules/advantages.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/base/random.h"

namespace troupe {
namespace {

constexpr double kDiscount = 0.97, kLambda = 0.9;

// Random streams with terminations, truncations (whose next value is that of a final state) and, if wanted, inactive
// steps.
ValueStreams RandomStreams(int64_t steps, int64_t columns, bool inactive, uint64_t seed) {
  RandomStream random(seed);
  ValueStreams streams{.steps = steps, .columns = columns};
  std::vector<float> values((steps + 1) * columns);
  for (float& value : values) value = static_cast<float>(random.Normal());
  streams.active.assign((steps + 1) * columns, 1);
  for (uint8_t& active : streams.active) active = !inactive || random.Below(3) != 0;
  for (int64_t i = 0; i < steps * columns; ++i) {
    streams.rewards.push_back(static_cast<float>(random.Normal()));
    streams.values.push_back(values[i]);
    const uint32_t end = random.Below(6);
    streams.continues.push_back(end > 1);
    streams.next_values.push_back(end == 0   ? 0.0f
                                  : end == 1 ? static_cast<float>(random.Normal())
                                             : values[i + columns]);
    streams.importance.push_back(static_cast<float>(std::exp(0.5 * random.Normal())));
  }
  return streams;
}

// Σ_k (γλ)^k δ_{t+k} up to the episode's end, summed forward for each step by itself.
double BruteForceAdvantage(const ValueStreams& s, int64_t t, int64_t column) {
  double sum = 0, weight = 1;
  for (; t < s.steps; ++t) {
    const int64_t i = t * s.columns + column;
    sum += weight * (s.rewards[i] + kDiscount * s.next_values[i] - s.values[i]);
    if (s.continues[i] == 0) break;
    weight *= kDiscount * kLambda;
  }
  return sum;
}

TEST(GeneralizedAdvantages, EqualTheDiscountedSumOfErrorsUpToEachEpisodesEnd) {
  const ValueStreams streams = RandomStreams(40, 5, false, 1);
  const AdvantageEstimates estimates = GeneralizedAdvantages(streams, kDiscount, kLambda);
  for (int64_t t = 0; t < streams.steps; ++t) {
    for (int64_t column = 0; column < streams.columns; ++column) {
      const int64_t i = t * streams.columns + column;
      const double expected = BruteForceAdvantage(streams, t, column);
      EXPECT_NEAR(estimates.advantages[i], expected, 1e-4);
      EXPECT_NEAR(estimates.targets[i], expected + streams.values[i], 1e-4);
    }
  }
}

TEST(GeneralizedAdvantages, TerminationForgetsWhatFollowsAndTruncationBootstraps) {
  ValueStreams streams{.steps = 2, .columns = 1};
  streams.rewards = {1.0f, 100.0f};
  streams.values = {0.5f, 7.0f};
  streams.active = {1, 1, 1};
  streams.continues = {0, 1};
  streams.next_values = {0.0f, 3.0f};
  EXPECT_NEAR(GeneralizedAdvantages(streams, kDiscount, kLambda).advantages[0], 0.5, 1e-6);
  streams.next_values[0] = 2.0f;
  EXPECT_NEAR(GeneralizedAdvantages(streams, kDiscount, kLambda).advantages[0], 0.5 + kDiscount * 2.0, 1e-6);
}

TEST(GeneralizedAdvantages, LambdaOneIsTheDiscountedReturnAndZeroTheOneStepError) {
  ValueStreams streams = RandomStreams(12, 1, false, 3);
  streams.continues.assign(12, 1);
  for (int64_t t = 0; t + 1 < 12; ++t) streams.next_values[t] = streams.values[t + 1];
  double discounted = streams.next_values[11];
  for (int64_t t = 11; t >= 0; --t) discounted = streams.rewards[t] + kDiscount * discounted;
  EXPECT_NEAR(GeneralizedAdvantages(streams, kDiscount, 1.0).targets[0], discounted, 1e-4);
  EXPECT_NEAR(GeneralizedAdvantages(streams, kDiscount, 0.0).advantages[0],
              streams.rewards[0] + kDiscount * streams.values[1] - streams.values[0], 1e-5);
}

// Worked out by hand with γ = λ = 1/2: V = 1, 2, then 4 of row T, at which the agent is dead while the episode goes on.
TEST(GeneralizedAdvantages, BootstrapFromTheValueOfAnAgentThatIsDeadAtTheLastRow) {
  ValueStreams streams{.steps = 2,
                       .columns = 1,
                       .rewards = {1, 3},
                       .values = {1, 2},
                       .next_values = {2, 4},
                       .continues = {1, 1},
                       .active = {1, 1, 0}};
  const AdvantageEstimates through = GeneralizedAdvantages(streams, 0.5, 0.5);
  EXPECT_FLOAT_EQ(through.advantages[1], 3 + 0.5 * 4 - 2);               // 3
  EXPECT_FLOAT_EQ(through.advantages[0], (1 + 0.5 * 2 - 1) + 0.25 * 3);  // 1.75
  EXPECT_FLOAT_EQ(through.targets[0], 2.75);
  streams.bootstrap_inactive = false;
  EXPECT_FLOAT_EQ(GeneralizedAdvantages(streams, 0.5, 0.5).advantages[1], 3 - 2);
}

// The same through a step in between: dead at step 1, whose value 2 is used on both sides.
TEST(GeneralizedAdvantages, RunOnThroughDeadStepsWithTheCriticsValues) {
  const ValueStreams streams{.steps = 3,
                             .columns = 1,
                             .rewards = {1, 3, 5},
                             .values = {1, 2, 4},
                             .next_values = {2, 4, 8},
                             .continues = {1, 1, 1},
                             .active = {1, 0, 1, 1}};
  const AdvantageEstimates through = GeneralizedAdvantages(streams, 0.5, 0.5);
  EXPECT_FLOAT_EQ(through.advantages[2], 5);       // 5 + 4 − 4
  EXPECT_FLOAT_EQ(through.advantages[1], 4.25);    // 3 + 2 − 2 + 5/4
  EXPECT_FLOAT_EQ(through.advantages[0], 2.0625);  // 1 + 1 − 1 + 4.25/4
}

TEST(GeneralizedAdvantages, IgnoreTheValuesOfInactiveStepsButNotTheirRewards) {
  ValueStreams streams = RandomStreams(30, 4, true, 4);
  streams.bootstrap_inactive = false;
  const AdvantageEstimates before = GeneralizedAdvantages(streams, kDiscount, kLambda);
  for (int64_t i = 0; i < 30 * 4; ++i) {
    if (streams.active[i] == 0) streams.values[i] = 1e6f;
    if (streams.continues[i] != 0 && streams.active[i + 4] == 0) streams.next_values[i] = -1e6f;
  }
  const AdvantageEstimates after = GeneralizedAdvantages(streams, kDiscount, kLambda);
  for (int64_t i = 0; i < 30 * 4; ++i) {
    if (streams.active[i] != 0) {
      EXPECT_EQ(before.advantages[i], after.advantages[i]);
    }
  }
  ValueStreams waits{.steps = 3,
                     .columns = 1,
                     .bootstrap_inactive = false,
                     .rewards = {0, 0, 8},
                     .values = {1, 5, 5},
                     .next_values = {5, 5, 0},
                     .continues = {1, 1, 0},
                     .active = {1, 0, 0, 1}};
  EXPECT_NEAR(GeneralizedAdvantages(waits, 0.5, 0.3).targets[0], 0.25 * 8, 1e-6);
}

TEST(VTrace, OnPolicyEqualsGeneralizedAdvantages) {
  ValueStreams streams = RandomStreams(40, 5, true, 5);
  streams.importance.assign(streams.importance.size(), 1.0f);
  const AdvantageEstimates gae = GeneralizedAdvantages(streams, kDiscount, kLambda);
  const AdvantageEstimates vtrace = VTrace(streams, kDiscount, kLambda, 1.0, 1.0);
  EXPECT_EQ(gae.advantages, vtrace.advantages);
  EXPECT_EQ(gae.targets, vtrace.targets);
}

// The paper's definition: v_s = V_s + Σ_t γ^(t−s) (Π_{i<t} c_i) ρ_t δ_t with c_i = λ min(c̄, π/μ).
TEST(VTrace, TargetsEqualThePapersSum) {
  const ValueStreams s = RandomStreams(25, 3, false, 6);
  const AdvantageEstimates estimates = VTrace(s, kDiscount, kLambda, 1.2, 0.8);
  for (int64_t start = 0; start < s.steps * s.columns; ++start) {
    double sum = s.values[start], weight = 1;
    for (int64_t i = start; i < s.steps * s.columns; i += s.columns) {
      const double delta = s.rewards[i] + kDiscount * s.next_values[i] - s.values[i];
      sum += weight * std::min(1.2f, s.importance[i]) * delta;
      weight *= kDiscount * kLambda * std::min(0.8f, s.importance[i]);
      if (s.continues[i] == 0) break;
    }
    EXPECT_NEAR(estimates.targets[start], sum, 1e-4);
  }
}

}  // namespace
}  // namespace troupe
