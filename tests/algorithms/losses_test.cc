#include "learner/arithmetic/objectives/losses.h"

#include <gtest/gtest.h>

#include "common/base/random.h"
#include "common/specs/policy_spec.h"
#include "learner/arithmetic/objectives/clipped_policy.h"
#include "learner/arithmetic/objectives/clipped_value.h"

namespace troupe {
namespace {

constexpr int64_t kRows = 3000, kActions = 5;

struct PolicyInputs {
  at::Tensor logits, masks, rows;
};

PolicyInputs RandomPolicyInputs(int64_t count, at::ScalarType type) {
  RandomStream random(4);
  PolicyInputs inputs{at::empty({count, kActions}, at::kDouble), at::ones({count, kActions}, at::kByte),
                      at::empty({count, PolicyRow::kCount}, at::kDouble)};
  for (int64_t i = 0; i < count; ++i) {
    const auto action = static_cast<int64_t>(random.Below(kActions));
    for (int64_t j = 0; j < kActions; ++j) {
      inputs.logits[i][j] = random.Normal();
      if (j != action && random.Below(4) == 0) inputs.masks[i][j] = 0;
    }
    inputs.rows[i][PolicyRow::kAction] = static_cast<double>(action);
    inputs.rows[i][PolicyRow::kReferenceLogProb] = -1.4 + 0.3 * random.Normal();
    inputs.rows[i][PolicyRow::kImportance] = std::exp(0.2 * random.Normal());
    inputs.rows[i][PolicyRow::kAdvantage] = random.Normal();
    inputs.rows[i][PolicyRow::kAlive] = random.Below(5) != 0 ? 1.0 : 0.0;
  }
  inputs.logits = inputs.logits.to(type);
  inputs.rows = inputs.rows.to(type);
  return inputs;
}

double MaxDifference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

// What training calls, in tensors.
PolicyLossResult OnePass(const at::Tensor& logits, const at::Tensor& masks, const at::Tensor& rows,
                         const PolicyLossSettings& settings) {
  PolicyLossResult result{at::empty_like(logits), at::zeros({PolicyLossResult::kCount})};
  Objective::Figures sums{};
  ClippedPolicyObjective(settings.clip)
      .Rows({.outputs = logits.const_data_ptr<float>(),
             .rows = logits.size(0),
             .width = kActions,
             .fields = rows.const_data_ptr<float>(),
             .masks = masks.const_data_ptr<uint8_t>()},
            settings.denominator, {settings.entropy_coefficient}, result.gradient.data_ptr<float>(), &sums);
  for (int i = 0; i < PolicyLossSum::kCount; ++i) result.sums[i] = sums[i] / settings.denominator;
  return result;
}

ValueLossResult OnePass(const at::Tensor& values, const at::Tensor& rows, const ValueLossSettings& settings) {
  ValueLossResult result{at::empty_like(values), at::zeros({})};
  Objective::Figures sums{};
  ClippedValueObjective(settings).Rows({.outputs = values.const_data_ptr<float>(),
                                        .rows = values.numel(),
                                        .width = 1,
                                        .fields = rows.const_data_ptr<float>()},
                                       settings.denominator, {}, result.gradient.data_ptr<float>(), &sums);
  result.loss.fill_(sums[ClippedValueObjective::kLoss] / settings.denominator);
  return result;
}

TEST(PolicyLoss, OnePassAndLibTorchAgree) {
  const PolicyInputs in = RandomPolicyInputs(kRows, at::kFloat);
  const PolicyLossSettings settings{.clip = 0.2, .entropy_coefficient = 0.3, .denominator = 2000};
  const PolicyLossResult fast = OnePass(in.logits, in.masks, in.rows, settings);
  const PolicyLossResult reference = ComputePolicyLossReference(in.logits, in.masks, in.rows, settings);
  EXPECT_LT(MaxDifference(fast.gradient, reference.gradient), 1e-8);
  EXPECT_LT(MaxDifference(fast.sums, reference.sums), 1e-5);
  EXPECT_GT(fast.sums[PolicyLossResult::kClipFraction].item<double>(), 0.1);
}

TEST(PolicyLoss, GradientAgreesWithFiniteDifferences) {
  const PolicyInputs in = RandomPolicyInputs(60, at::kDouble);
  const PolicyLossSettings settings{.clip = 0.2, .entropy_coefficient = 0.3, .denominator = 7};
  const auto loss = [&](const at::Tensor& logits) {
    const at::Tensor sums = ComputePolicyLossReference(logits, in.masks, in.rows, settings).sums;
    return sums[PolicyLossResult::kSurrogate].item<double>() - 0.3 * sums[PolicyLossResult::kEntropy].item<double>();
  };
  const at::Tensor gradient = ComputePolicyLossReference(in.logits, in.masks, in.rows, settings).gradient;
  for (int64_t i = 0; i < 60; ++i) {
    for (int64_t j = 0; j < kActions; ++j) {
      at::Tensor moved = in.logits.clone();
      moved[i][j] += 1e-6;
      const double above = loss(moved);
      moved[i][j] -= 2e-6;
      EXPECT_NEAR(gradient[i][j].item<double>(), (above - loss(moved)) / 2e-6, 1e-6);
    }
  }
}

TEST(PolicyLoss, DeadRowsAndForbiddenActionsTakeNoPart) {
  const PolicyInputs in = RandomPolicyInputs(kRows, at::kFloat);
  const PolicyLossResult before = OnePass(in.logits, in.masks, in.rows, {});
  const at::Tensor dead = in.rows.select(-1, PolicyRow::kAlive) == 0;
  EXPECT_EQ(before.gradient.index({dead}).abs().max().item<double>(), 0.0);
  EXPECT_EQ(before.gradient.index({in.masks == 0}).abs().max().item<double>(), 0.0);
  at::Tensor logits = in.logits.clone(), rows = in.rows.clone();
  logits.index_put_({dead}, at::full({}, 50.0));
  rows.select(-1, PolicyRow::kAdvantage).index_put_({dead}, at::full({}, 1e6));
  logits.index_put_({in.masks == 0}, at::full({}, 1e6));
  const PolicyLossResult after = OnePass(logits, in.masks, rows, {});
  EXPECT_TRUE(at::equal(before.gradient, after.gradient));
  EXPECT_TRUE(at::equal(before.sums, after.sums));
}

TEST(ActionLogProbability, GivesForbiddenActionsProbabilityZero) {
  const float logits[] = {0, 0, 0, 0};
  const uint8_t first_forbidden[] = {0, 1, 1, 1}, all_allowed[] = {1, 1, 1, 1};
  EXPECT_EQ(std::exp(ActionLogProbability(logits, first_forbidden, 4, 0)), 0.0f);
  EXPECT_NEAR(std::exp(ActionLogProbability(logits, first_forbidden, 4, 2)), 1.0 / 3, 1e-6);
  EXPECT_NEAR(std::exp(ActionLogProbability(logits, all_allowed, 4, 0)), 0.25, 1e-6);
}

at::Tensor RandomValueRows(int64_t count, at::ScalarType type) {
  at::Tensor rows =
      at::randn({count, ValueRow::kCount}, at::detail::createCPUGenerator(3), at::TensorOptions().dtype(at::kDouble));
  rows.select(-1, ValueRow::kActive).copy_((rows.select(-1, ValueRow::kActive) > -0.5).to(at::kDouble));
  return rows.to(type);
}

at::Tensor RandomValues(int64_t count, at::ScalarType type) {
  return at::randn({count}, at::detail::createCPUGenerator(8), at::TensorOptions().dtype(at::kDouble)).to(type);
}

TEST(ValueLoss, OnePassAndLibTorchAgreeForEverySwitch) {
  for (const bool huber : {true, false}) {
    for (const bool clip : {true, false}) {
      const ValueLossSettings settings{
          .huber = huber, .huber_delta = 0.7, .clip_value = clip, .coefficient = 0.5, .denominator = 9};
      const at::Tensor values = RandomValues(kRows, at::kFloat), rows = RandomValueRows(kRows, at::kFloat);
      const ValueLossResult fast = OnePass(values, rows, settings);
      const ValueLossResult reference = ComputeValueLossReference(values, rows, settings);
      EXPECT_LT(MaxDifference(fast.gradient, reference.gradient), 1e-6);
      EXPECT_NEAR(fast.loss.item<double>() / reference.loss.item<double>(), 1.0, 1e-5);
    }
  }
}

TEST(ValueLoss, GradientAgreesWithFiniteDifferences) {
  const ValueLossSettings settings{.huber_delta = 0.7, .coefficient = 0.5, .denominator = 9};
  const at::Tensor values = RandomValues(200, at::kDouble), rows = RandomValueRows(200, at::kDouble);
  const at::Tensor gradient = ComputeValueLossReference(values, rows, settings).gradient;
  for (int64_t i = 0; i < 200; ++i) {
    at::Tensor moved = values.clone();
    moved[i] += 1e-6;
    const double above = ComputeValueLossReference(moved, rows, settings).loss.item<double>();
    moved[i] -= 2e-6;
    const double below = ComputeValueLossReference(moved, rows, settings).loss.item<double>();
    EXPECT_NEAR(gradient[i].item<double>(), 0.5 * (above - below) / 2e-6, 1e-6);
  }
}

TEST(ValueLoss, InactiveRowsTakeNoPart) {
  const at::Tensor values = RandomValues(kRows, at::kFloat), rows = RandomValueRows(kRows, at::kFloat);
  const at::Tensor inactive = rows.select(-1, ValueRow::kActive) == 0;
  at::Tensor moved = values.clone();
  moved.index_put_({inactive}, at::full({}, 1e6));
  const ValueLossResult before = OnePass(values, rows, {}), after = OnePass(moved, rows, {});
  EXPECT_TRUE(at::equal(before.gradient, after.gradient));
  EXPECT_TRUE(at::equal(before.loss, after.loss));
}

}  // namespace
}  // namespace troupe
