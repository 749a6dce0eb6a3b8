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

TEST(FlatAdam, TakesTheSameStepsOnTheHostAsThroughLibTorch) {
  for (const double max_norm : {0.0, 0.5}) {
    for (const double weight_decay : {0.0, 0.01}) {
      const FlatAdam::Options options{.weight_decay = weight_decay, .max_gradient_norm = max_norm};
      at::Tensor a = RandomTensor(1).requires_grad_(true), b = RandomTensor(1).requires_grad_(true);
      FlatAdam reference(a, options), host(b, options);
      for (int step = 0; step < 10; ++step) {
        SetComputeThreads(1 + step % 3);
        const at::Tensor gradient = RandomTensor(100 + step);
        a.mutable_grad() = gradient.clone();
        const FlatAdam::StepResult expected = reference.Step(0.01, at::zeros({}));
        const FlatAdam::HostStepResult result = host.StepOnHost(0.01, gradient.const_data_ptr<float>(), 0.0f);
        EXPECT_FALSE(result.skipped);
        EXPECT_NEAR(result.gradient_norm, expected.gradient_norm.item<float>(), 1e-3);
      }
      SetComputeThreads(1);
      EXPECT_LT((a - b).abs().max().item<double>(), 2e-6);
      EXPECT_LT((reference.second_moment - host.second_moment).abs().max().item<double>(), 1e-6);
      EXPECT_EQ(host.steps.item<float>(), 10.0f);
    }
  }
}

TEST(FlatAdam, TakesTheSameStepsByALearningRateOnTheDevice) {
  for (const double max_norm : {0.0, 0.5}) {
    const FlatAdam::Options options{.weight_decay = 0.01, .max_gradient_norm = max_norm};
    at::Tensor a = RandomTensor(1).requires_grad_(true), b = RandomTensor(1).requires_grad_(true);
    FlatAdam reference(a, options), device(b, options);
    for (int step = 0; step < 10; ++step) {
      const double learning_rate = 0.01 / (1 + step);
      at::Tensor gradient = RandomTensor(100 + step);
      if (step == 5) gradient[7] = std::nanf("");
      a.mutable_grad() = gradient.clone();
      const FlatAdam::StepResult expected = reference.Step(learning_rate, at::zeros({}));
      const FlatAdam::StepResult result =
          device.StepOnDevice(at::scalar_tensor(learning_rate, at::kFloat), gradient, at::zeros({}));
      EXPECT_EQ(result.skipped.item<float>(), step == 5 ? 1.0f : 0.0f);
      EXPECT_TRUE(step == 5 || at::equal(result.gradient_norm, expected.gradient_norm));
    }
    EXPECT_LT((a - b).abs().max().item<double>(), 1e-6);
    EXPECT_EQ(device.steps.item<float>(), 9.0f);
  }
}

TEST(FlatAdam, LeavesEverythingAsItIsWhenTheGradientOrTheLossIsNotFinite) {
  at::Tensor parameters = RandomTensor(1).requires_grad_(true);
  FlatAdam host(parameters, {});
  at::Tensor gradient = RandomTensor(2);
  EXPECT_TRUE(host.StepOnHost(0.01, gradient.const_data_ptr<float>(), std::nanf("")).skipped);
  gradient[kSize - 1] = std::nanf("");
  EXPECT_TRUE(host.StepOnHost(0.01, gradient.const_data_ptr<float>(), 0.0f).skipped);
  EXPECT_TRUE(at::equal(parameters, RandomTensor(1)));
  EXPECT_EQ(host.first_moment.abs().max().item<float>(), 0.0f);
  EXPECT_EQ(host.steps.item<float>(), 0.0f);
}

}  // namespace
}  // namespace troupe
