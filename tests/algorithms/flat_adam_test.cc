#include "learner/arithmetic/networks/flat_adam.h"

#include <gtest/gtest.h>

#include <cmath>

#include "learner/arithmetic/host/compute_pool.h"

namespace troupe {
namespace {

constexpr int64_t kSize = 20001;

at::Tensor RandomTensor(int64_t seed) {
  return at::randn({kSize}, at::detail::createCPUGenerator(seed), at::TensorOptions().dtype(at::kFloat));
}

// Two sets whose parameters lie in turns, as a network's do, one of them long enough for several pieces.
const std::vector<FlatAdam::Slice> kSlices = {{0, 0, 900}, {1, 900, 101}, {0, 1001, 9000}, {1, 10001, 10000}};

at::Tensor Rates(double first, double second) { return at::tensor({first, second}, at::kFloat); }

TEST(FlatAdam, TakesTheSameStepsOnTheHostAsThroughLibTorch) {
  for (const double max_norm : {0.0, 0.5}) {
    for (const double weight_decay : {0.0, 0.01}) {
      const AdamSettings settings{.weight_decay = weight_decay, .max_gradient_norm = max_norm};
      at::Tensor a = RandomTensor(1).requires_grad_(true), b = RandomTensor(1).requires_grad_(true);
      FlatAdam reference(a, settings), host(b, settings);
      const float loss = 0;
      for (int step = 0; step < 10; ++step) {
        SetComputeThreads(1 + step % 3);
        const at::Tensor gradient = RandomTensor(100 + step);
        const FlatAdam::StepResult expected =
            reference.StepOnDevice(at::full({1}, 0.01, at::kFloat), gradient.clone(), at::zeros({1}));
        const FlatAdam::HostStepResult result = host.StepOnHost(0.01, gradient.const_data_ptr<float>(), &loss).front();
        EXPECT_FALSE(result.skipped);
        EXPECT_NEAR(result.gradient_norm, expected.gradient_norms.item<float>(), 1e-3);
      }
      SetComputeThreads(1);
      EXPECT_LT((a - b).abs().max().item<double>(), 2e-6);
      EXPECT_LT((reference.second_moment - host.second_moment).abs().max().item<double>(), 1e-6);
      EXPECT_EQ(host.steps.item<float>(), 10.0f);
    }
  }
}

// Every set as if it were alone: its own norm, its own guard, its own count of steps.
TEST(FlatAdam, StepsEverySetAsIfItWereAlone) {
  const AdamSettings settings{.weight_decay = 0.01, .max_gradient_norm = 0.5};
  at::Tensor host_values = RandomTensor(1), device_values = RandomTensor(1);
  FlatAdam host(host_values, settings, 2, kSlices), device(device_values, settings, 2, kSlices);
  const auto of_set = [&](const at::Tensor& flat, int set) {
    std::vector<at::Tensor> parts;
    for (const FlatAdam::Slice& slice : kSlices) {
      if (slice.set == set) parts.push_back(flat.narrow(0, slice.first, slice.size));
    }
    return at::cat(parts);
  };
  std::vector<at::Tensor> alone_values = {of_set(host_values, 0).clone(), of_set(host_values, 1).clone()};
  std::vector<FlatAdam> alone = {FlatAdam(alone_values[0], settings), FlatAdam(alone_values[1], settings)};
  for (int step = 0; step < 8; ++step) {
    at::Tensor gradient = RandomTensor(100 + step);
    gradient.narrow(0, 0, 900).mul_(30);           // the first set's norm is clipped by more
    if (step == 3) gradient[905] = std::nanf("");  // the second set's
    const bool second_rests = step == 5;
    const float losses[] = {step == 6 ? std::nanf("") : 0.0f, 0.0f};
    const uint8_t stepped[] = {1, second_rests ? uint8_t{0} : uint8_t{1}};
    const std::vector<FlatAdam::HostStepResult> results =
        host.StepOnHost(0.01, gradient.const_data_ptr<float>(), losses, stepped);
    const FlatAdam::StepResult on_device = device.StepOnDevice(Rates(0.01, second_rests ? -1 : 0.01), gradient.clone(),
                                                               at::tensor({losses[0], losses[1]}, at::kFloat));
    for (int set = 0; set < 2; ++set) {
      if (set == 1 && second_rests) continue;
      const FlatAdam::HostStepResult expected =
          alone[set].StepOnHost(0.01, of_set(gradient, set).const_data_ptr<float>(), &losses[set]).front();
      EXPECT_EQ(results[set].skipped, expected.skipped) << step << " " << set;
      EXPECT_EQ(on_device.skipped[set].item<float>() != 0, expected.skipped) << step << " " << set;
      if (!expected.skipped) {
        EXPECT_NEAR(results[set].gradient_norm, expected.gradient_norm, 1e-3);
      }
    }
  }
  for (int set = 0; set < 2; ++set) {
    EXPECT_LT((of_set(host_values, set) - alone_values[set]).abs().max().item<double>(), 1e-6) << set;
    EXPECT_LT((of_set(device_values, set) - alone_values[set]).abs().max().item<double>(), 2e-6) << set;
  }
  // One set left out the loss that was none, the other a gradient that was none and a step in which it rested.
  EXPECT_EQ(host.steps[0].item<float>(), 7.0f);
  EXPECT_EQ(host.steps[1].item<float>(), 6.0f);
  EXPECT_TRUE(at::equal(host.steps, device.steps));
}

TEST(FlatAdam, LeavesEverythingAsItIsWhenTheGradientOrTheLossIsNotFinite) {
  at::Tensor parameters = RandomTensor(1).requires_grad_(true);
  FlatAdam host(parameters, {});
  at::Tensor gradient = RandomTensor(2);
  const float fine = 0, bad = std::nanf("");
  EXPECT_TRUE(host.StepOnHost(0.01, gradient.const_data_ptr<float>(), &bad).front().skipped);
  gradient[kSize - 1] = std::nanf("");
  EXPECT_TRUE(host.StepOnHost(0.01, gradient.const_data_ptr<float>(), &fine).front().skipped);
  EXPECT_TRUE(at::equal(parameters, RandomTensor(1)));
  EXPECT_EQ(host.first_moment.abs().max().item<float>(), 0.0f);
  EXPECT_EQ(host.steps.item<float>(), 0.0f);
}

}  // namespace
}  // namespace troupe
