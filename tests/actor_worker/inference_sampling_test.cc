#include <cmath>
#include <vector>

#include "actor_worker/acting/categorical.h"
#include "common/base/random.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

struct Chosen {
  std::vector<int32_t> actions;
  std::vector<float> log_probabilities;
};

Chosen Choose(int num_actions, const std::vector<float>& logits, const std::vector<uint8_t>& masks,
              const std::vector<float>& uniforms) {
  const int rows = int(logits.size()) / num_actions;
  Categorical categorical(rows, num_actions);
  Chosen chosen{std::vector<int32_t>(rows), std::vector<float>(rows)};
  categorical.Choose(
      logits, masks, uniforms,
      {.discrete = absl::MakeSpan(chosen.actions), .log_probabilities = absl::MakeSpan(chosen.log_probabilities)});
  return chosen;
}

TEST(CategoricalTest, SamplesWithTheMaskedSoftmaxsFrequencies) {
  constexpr int kDraws = 200000;
  const std::vector<float> logits = {1.0f, -0.5f, 2.5f, 0.25f, -2.0f};
  const std::vector<uint8_t> mask = {1, 1, 0, 1, 1};
  double sum = 0;
  for (int n = 0; n < 5; ++n) sum += mask[n] * std::exp(logits[n]);
  std::vector<float> all_logits, uniforms;
  std::vector<uint8_t> all_masks;
  RandomStream random(17);
  for (int i = 0; i < kDraws; ++i) {
    all_logits.insert(all_logits.end(), logits.begin(), logits.end());
    all_masks.insert(all_masks.end(), mask.begin(), mask.end());
    uniforms.push_back(random.Uniform());
  }
  const Chosen chosen = Choose(5, all_logits, all_masks, uniforms);
  std::vector<int> counts(5);
  for (int i = 0; i < kDraws; ++i) {
    ++counts[chosen.actions[i]];
    ASSERT_NEAR(chosen.log_probabilities[i], std::log(std::exp(logits[chosen.actions[i]]) / sum), 1e-6);
  }
  for (int n = 0; n < 5; ++n) {
    const double p = mask[n] * std::exp(logits[n]) / sum;
    EXPECT_NEAR(counts[n], p * kDraws, 4 * std::sqrt(p * (1 - p) * kDraws)) << n;
  }
}

TEST(CategoricalTest, InvertsTheCumulativeDistribution) {
  const float third = std::log(1.0f / 3), sixth = std::log(1.0f / 6), half = std::log(0.5f);
  const std::vector<float> uniforms = {0.0f, 0.3f, 0.35f, 0.49f, 0.51f, 0.99999994f};
  std::vector<float> logits;
  for (size_t i = 0; i < uniforms.size(); ++i) logits.insert(logits.end(), {third, sixth, half});
  EXPECT_EQ(Choose(3, logits, {}, uniforms).actions, (std::vector<int32_t>{0, 0, 1, 1, 2, 2}));
}

TEST(CategoricalTest, NeverChoosesAMaskedActionWhateverTheLogits) {
  RandomStream random(23);
  for (int num_actions = 1; num_actions <= 9; ++num_actions) {
    std::vector<float> logits, uniforms;
    std::vector<uint8_t> masks;
    for (int row = 0; row < 3000; ++row) {
      const uint32_t only = random.Below(num_actions);
      for (int n = 0; n < num_actions; ++n) {
        logits.push_back(float(random.Normal() * (row % 3 == 0 ? 1 : row % 3 == 1 ? 50 : 1e6)));
        masks.push_back(n == int(only) || random.Below(2));
      }
      uniforms.push_back(row % 5 == 0 ? 0.0f : row % 5 == 1 ? 0.99999994f : random.Uniform());
    }
    for (const std::vector<float>& draws : {uniforms, std::vector<float>{}}) {
      const Chosen chosen = Choose(num_actions, logits, masks, draws);
      for (int row = 0; row < 3000; ++row) {
        ASSERT_GE(chosen.actions[row], 0);
        ASSERT_LT(chosen.actions[row], num_actions);
        ASSERT_TRUE(masks[row * num_actions + chosen.actions[row]]);
        ASSERT_TRUE(std::isfinite(chosen.log_probabilities[row]));
      }
    }
  }
}

TEST(CategoricalTest, GreedyTakesTheLowestIndexOfEquals) {
  EXPECT_EQ(Choose(4, {1, 2, 2, 0, 5, 5, 5, 5, 9, 3, 3, 3}, {1, 1, 1, 1, 0, 0, 1, 1, 0, 1, 1, 1}, {}).actions,
            (std::vector<int32_t>{1, 2, 1}));
}

}  // namespace
}  // namespace troupe
