#include "learner/arithmetic/objectives/device_losses.h"

#include <gtest/gtest.h>

#include "common/base/random.h"
#include "learner/arithmetic/objectives/losses.h"

namespace troupe {
namespace {

constexpr int64_t kSets = 3, kRows = 700, kActions = 5;

struct PolicyInputs {
  at::Tensor logits = at::empty({kSets, kRows, kActions}, at::kFloat);
  at::Tensor masks = at::ones({kSets, kRows, kActions}, at::kByte);
  at::Tensor rows = at::empty({kSets, kRows, PolicyRow::kCount}, at::kFloat);
};

PolicyInputs RandomPolicyInputs() {
  RandomStream random(4);
  PolicyInputs inputs;
  float *z = inputs.logits.data_ptr<float>(), *row = inputs.rows.data_ptr<float>();
  uint8_t* mask = inputs.masks.data_ptr<uint8_t>();
  for (int64_t i = 0; i < kSets * kRows; ++i, z += kActions, mask += kActions, row += PolicyRow::kCount) {
    const uint32_t action = random.Below(kActions);
    for (uint32_t j = 0; j < kActions; ++j) {
      z[j] = static_cast<float>(random.Normal());
      if (j != action && random.Below(4) == 0) mask[j] = 0;
    }
    row[PolicyRow::kAction] = static_cast<float>(action);
    row[PolicyRow::kReferenceLogProb] = static_cast<float>(-1.4 + 0.3 * random.Normal());
    row[PolicyRow::kImportance] = static_cast<float>(std::exp(0.2 * random.Normal()));
    row[PolicyRow::kAdvantage] = static_cast<float>(random.Normal());
    row[PolicyRow::kAlive] = random.Below(5) != 0 ? 1.0f : 0.0f;
  }
  return inputs;
}

at::Tensor Scalar(double value) { return at::scalar_tensor(value, at::kFloat); }

DeviceLoss OnDevice(const PolicyInputs& in, const PolicyLossSettings& settings) {
  return ComputePolicyLossOnDevice(in.logits, in.masks, in.rows, settings, Scalar(settings.entropy_coefficient),
                                   at::full({kSets}, settings.denominator, at::kFloat));
}

double MaxDifference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST(DevicePolicyLoss, AgreesWithAutograd) {
  const PolicyInputs in = RandomPolicyInputs();
  for (const PolicyLossSettings& settings :
       {PolicyLossSettings{.clip = 0.2, .entropy_coefficient = 0.3, .denominator = 2000},
        PolicyLossSettings{.clip = 0.05, .entropy_coefficient = 0, .denominator = 100}}) {
    const DeviceLoss result = OnDevice(in, settings);
    const PolicyLossResult reference = ComputePolicyLossReference(in.logits, in.masks, in.rows, settings);
    EXPECT_LT(MaxDifference(result.gradient, reference.gradient), 2e-5 / settings.denominator);
    EXPECT_LT(MaxDifference(result.sums.sum(0), reference.sums), 1e-5 * 2000 / settings.denominator);
    EXPECT_GT(result.sums.sum(0)[PolicyLossResult::kClipFraction].item<double>(), 0.1);
  }
}

TEST(DevicePolicyLoss, DividesEverySetByItsOwnDenominator) {
  const PolicyInputs in = RandomPolicyInputs();
  const PolicyLossSettings settings{.clip = 0.2, .entropy_coefficient = 0.3};
  const std::vector<double> denominators = {100, 700, 3};
  const DeviceLoss result = ComputePolicyLossOnDevice(in.logits, in.masks, in.rows, settings, Scalar(0.3),
                                                      at::tensor({100.0, 700.0, 3.0}, at::kFloat));
  for (int64_t set = 0; set < kSets; ++set) {
    PolicyLossSettings own = settings;
    own.denominator = denominators[set];
    const PolicyLossResult reference = ComputePolicyLossReference(in.logits[set], in.masks[set], in.rows[set], own);
    EXPECT_LT(MaxDifference(result.gradient[set], reference.gradient), 2e-5 / own.denominator) << set;
    EXPECT_LT(MaxDifference(result.sums[set], reference.sums), 1e-2 / own.denominator) << set;
  }
}

TEST(DevicePolicyLoss, DeadRowsAndForbiddenActionsTakeNoPart) {
  const PolicyInputs in = RandomPolicyInputs();
  const DeviceLoss before = OnDevice(in, {});
  const at::Tensor dead = in.rows.select(-1, PolicyRow::kAlive) == 0;
  EXPECT_EQ(before.gradient.index({dead}).abs().max().item<double>(), 0.0);
  EXPECT_EQ(before.gradient.index({in.masks == 0}).abs().max().item<double>(), 0.0);
  PolicyInputs moved{in.logits.clone(), in.masks, in.rows.clone()};
  moved.logits.index_put_({dead}, at::full({}, 50.0));
  moved.rows.select(-1, PolicyRow::kAdvantage).index_put_({dead}, at::full({}, 1e6));
  moved.logits.index_put_({in.masks == 0}, at::full({}, 1e6));
  const DeviceLoss after = OnDevice(moved, {});
  EXPECT_TRUE(at::equal(before.gradient, after.gradient));
  EXPECT_TRUE(at::equal(before.sums, after.sums));
}

TEST(DevicePolicyLoss, ANanIsNotLost) {
  PolicyInputs in = RandomPolicyInputs();
  in.rows.select(-1, PolicyRow::kAlive).fill_(1);
  in.logits.data_ptr<float>()[0] = std::nanf("");
  in.masks.data_ptr<uint8_t>()[0] = 1;
  EXPECT_TRUE(OnDevice(in, {}).sums.isnan().any().item<bool>());
}

TEST(DeviceValueLoss, AgreesWithAutogradForEverySwitch) {
  const auto random = [](at::IntArrayRef sizes, int64_t seed) {
    return at::randn(sizes, at::detail::createCPUGenerator(seed), at::TensorOptions().dtype(at::kFloat));
  };
  const at::Tensor values = random({kRows}, 8), rows = random({kRows, ValueRow::kCount}, 3);
  rows.select(-1, ValueRow::kActive).copy_(rows.select(-1, ValueRow::kActive) > -0.5);
  rows.select(-1, ValueRow::kOldValue).copy_(values + 0.3 * random({kRows}, 5));
  for (const bool huber : {true, false}) {
    for (const bool clip : {true, false}) {
      const ValueLossSettings settings{
          .huber = huber, .huber_delta = 0.7, .clip_value = clip, .coefficient = 0.5, .denominator = 9};
      const DeviceLoss result = ComputeValueLossOnDevice(values.view({1, kRows, 1}), rows.unsqueeze(0), settings,
                                                         at::full({1}, 9.0, at::kFloat));
      const at::Tensor gradient = result.gradient.flatten();
      const ValueLossResult reference = ComputeValueLossReference(values, rows, settings);
      EXPECT_LT(MaxDifference(gradient, reference.gradient), 1e-6);
      EXPECT_NEAR(result.sums.item<double>() / reference.loss.item<double>(), 1.0, 1e-5);
      const at::Tensor inactive = rows.select(-1, ValueRow::kActive) == 0;
      EXPECT_EQ(gradient.index({inactive}).abs().max().item<double>(), 0.0);
    }
  }
}

}  // namespace
}  // namespace troupe
