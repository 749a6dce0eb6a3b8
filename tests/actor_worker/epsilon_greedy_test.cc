#include "actor_worker/acting/epsilon_greedy.h"

#include <cmath>

#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

struct Chosen {
  std::vector<int32_t> actions;
  std::vector<float> log_probabilities;
};

Chosen Choose(double epsilon, const std::vector<float>& values, const std::vector<uint8_t>& mask, int rows,
              bool sample) {
  EpsilonGreedy distribution(rows, int(values.size()));
  EXPECT_TRUE(distribution.SetSnapshot({}, {1, {}, {{"epsilon", epsilon}}}).ok());
  std::vector<float> all_values, uniforms;
  std::vector<uint8_t> masks;
  RandomStream random(31);
  for (int row = 0; row < rows; ++row) {
    all_values.insert(all_values.end(), values.begin(), values.end());
    masks.insert(masks.end(), mask.begin(), mask.end());
    for (int i = 0; i < distribution.draws_per_agent() && sample; ++i) uniforms.push_back(random.Uniform());
  }
  Chosen chosen{std::vector<int32_t>(rows), std::vector<float>(rows)};
  distribution.Choose(
      all_values, masks, uniforms,
      {.discrete = absl::MakeSpan(chosen.actions), .log_probabilities = absl::MakeSpan(chosen.log_probabilities)});
  return chosen;
}

TEST(EpsilonGreedyTest, FrequenciesAndLogProbabilitiesAreThoseOfTheDefinition) {
  constexpr int kDraws = 200000;
  // Action 1 is the largest and masked; of the four allowed, action 3 is the best.
  const Chosen chosen = Choose(0.4, {-1.0f, 9.0f, 0.5f, 2.0f, 1.5f}, {1, 0, 1, 1, 1}, kDraws, true);
  const double expected[] = {0.1, 0, 0.1, 0.7, 0.1};
  std::vector<int> counts(5);
  for (int i = 0; i < kDraws; ++i) {
    ++counts[chosen.actions[i]];
    ASSERT_FLOAT_EQ(chosen.log_probabilities[i], float(std::log(expected[chosen.actions[i]])));
  }
  for (int n = 0; n < 5; ++n) {
    EXPECT_NEAR(counts[n], expected[n] * kDraws, 4 * std::sqrt(expected[n] * (1 - expected[n]) * kDraws)) << n;
  }
}

TEST(EpsilonGreedyTest, AllowsEveryActionWithoutAMask) {
  const Chosen chosen = Choose(1, {3.0f, 2.0f, 1.0f}, {}, 30000, true);
  for (const int action : {0, 1, 2}) {
    EXPECT_NEAR(std::count(chosen.actions.begin(), chosen.actions.end(), action), 10000,
                4 * std::sqrt(30000 * 2.0 / 9));
  }
  for (const float log_probability : chosen.log_probabilities) ASSERT_FLOAT_EQ(log_probability, -1.0986123f);
}

TEST(EpsilonGreedyTest, WithoutExplorationAndAsTheModeItIsTheBestAllowedAction) {
  for (const bool sample : {false, true}) {
    const Chosen chosen = Choose(sample ? 0 : 0.5, {7.0f, 4.0f, 5.0f, 5.0f}, {0, 1, 1, 1}, 1000, sample);
    for (const int action : chosen.actions) ASSERT_EQ(action, 2) << "the lowest index of equals";
    for (const float log_probability : chosen.log_probabilities) {
      ASSERT_FLOAT_EQ(log_probability, sample ? 0.0f : float(std::log(2.0 / 3)));
    }
  }
}

TEST(EpsilonGreedyTest, TheLargestUniformNumbersChooseTheLastAllowedAction) {
  EpsilonGreedy distribution(1, 4);
  ASSERT_TRUE(distribution.SetSnapshot({}, {1, {}, {{"epsilon", 1}}}).ok());
  int32_t action = -1;
  float log_probability = 0;
  distribution.Choose(
      {0.0f, 0.0f, 0.0f, 0.0f}, {1, 0, 1, 0}, {0.99999994f, 0.99999994f},
      {.discrete = absl::MakeSpan(&action, 1), .log_probabilities = absl::MakeSpan(&log_probability, 1)});
  EXPECT_EQ(action, 2);
}

TEST(EpsilonGreedyTest, RefusesASnapshotWithoutAProbability) {
  EpsilonGreedy distribution(1, 2);
  const auto refusal = [&](std::vector<NamedScalar> scalars) {
    const absl::Status status = distribution.SetSnapshot({}, {9, {}, std::move(scalars)});
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  EXPECT_EQ(refusal({}), "policy version 9: scalar \"epsilon\" is missing, expected a number in [0, 1]");
  EXPECT_THAT(refusal({{"epsilon", 1.5}}), testing::HasSubstr("is 1.5"));
  EXPECT_THAT(refusal({{"epsilon", -0.1}}), testing::HasSubstr("is -0.1"));
}

}  // namespace
}  // namespace troupe
