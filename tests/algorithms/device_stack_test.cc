#include "learner/arithmetic/gpu/device_stack.h"

#include <gtest/gtest.h>

#include "learner/arithmetic/networks/dense_stack.h"
#include "tests/algorithms/print_stack.h"

namespace troupe {
namespace {

constexpr int64_t kRows = 300;

std::vector<DenseStackSpec> AllSpecs() {
  std::vector<DenseStackSpec> specs;
  for (const int sets : {1, 3}) {
    for (const Activation activation : {Activation::kRelu, Activation::kTanh}) {
      for (int norms = 0; norms < 4; ++norms) {
        specs.push_back({.num_sets = sets,
                         .input_size = 11,
                         .hidden_sizes = {24, 17},
                         .output_size = 5,
                         .activation = activation,
                         .input_layer_norm = (norms & 1) != 0,
                         .hidden_layer_norm = (norms & 2) != 0});
      }
    }
  }
  specs.push_back({.num_sets = 2, .input_size = 4, .output_size = 3});
  specs.push_back({.num_sets = 1, .input_size = 4, .output_size = 3, .input_layer_norm = true});
  return specs;
}

at::Tensor RandomTensor(at::IntArrayRef shape, int64_t seed) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions().dtype(at::kFloat));
}

// The largest difference, as a part of the largest entry.
double Difference(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return ((a - b).abs().max() / b.abs().max()).item<double>();
}

// The norm of the difference, as a part of the norm.
double Distance(const at::Tensor& a, const at::Tensor& b) { return ((a - b).norm() / b.norm()).item<double>(); }

// A stack away from its initial zeros and ones, with inputs and output gradients; what autograd makes of them.
struct Problem {
  explicit Problem(const DenseStackSpec& spec) : stack(spec, 5, at::kCPU) {
    x = RandomTensor({spec.num_sets, kRows, spec.input_size}, 6);
    dy = RandomTensor({spec.num_sets, kRows, spec.output_size}, 7);
    {
      const at::NoGradGuard no_gradient;
      stack.parameters().add_(RandomTensor(stack.parameters().sizes(), 9) * 0.3);
    }
    y = ForwardReference(spec, stack.parameters(), x);
    gradient = torch::autograd::grad({y}, {stack.parameters()}, {dy})[0];
  }
  DenseStack stack;
  at::Tensor x, dy, y, gradient;
};

class DeviceStackTest : public ::testing::TestWithParam<DenseStackSpec> {};

TEST_P(DeviceStackTest, AgreesWithAutogradInOnePartAndInSeveral) {
  const Problem problem(GetParam());
  const at::NoGradGuard no_gradient;
  for (const int64_t parts : {1, 3}) {
    at::Tensor gradient = at::full_like(problem.gradient, NAN);
    DeviceStack stack(GetParam(), problem.stack.parameters(), gradient, /*bfloat16=*/false);
    DeviceStack::Activations activations = stack.Allocate(kRows);
    stack.Refresh();
    for (int64_t part = 0; part < parts; ++part) {
      const int64_t first = kRows * part / parts, count = kRows * (part + 1) / parts - first;
      const at::Tensor y = stack.Forward(problem.x.narrow(1, first, count), &activations);
      EXPECT_LT(Difference(y, problem.y.narrow(1, first, count)), 1e-5);
      stack.Backward(problem.dy.narrow(1, first, count), /*add=*/part > 0, &activations);
    }
    EXPECT_LT(Difference(gradient, problem.gradient), 2e-5);
  }
}

// Eight bits round by 0.4 % at most. Where that carries a sum across 0, RELU's slope is another one: if so with a share
// s of the units, gradients differ by about √s of their norm.
TEST_P(DeviceStackTest, RoundsProductsAloneInBfloat16) {
  const double tolerance = GetParam().activation == Activation::kTanh || GetParam().hidden_sizes.empty() ? 0.02 : 0.1;
  const Problem problem(GetParam());
  const at::NoGradGuard no_gradient;
  at::Tensor gradient = at::full_like(problem.gradient, NAN);
  DeviceStack stack(GetParam(), problem.stack.parameters(), gradient, /*bfloat16=*/true);
  DeviceStack::Activations activations = stack.Allocate(kRows);
  const at::Tensor y = stack.Forward(problem.x, &activations);
  EXPECT_EQ(y.scalar_type(), at::kFloat);
  EXPECT_LT(Distance(y, problem.y), 0.02);
  stack.Backward(problem.dy, /*add=*/false, &activations);
  EXPECT_LT(Distance(gradient, problem.gradient), tolerance);
  stack.Forward(problem.x, &activations);
  stack.Backward(problem.dy, /*add=*/true, &activations);
  EXPECT_LT(Distance(gradient, 2 * problem.gradient), tolerance);
}

TEST_P(DeviceStackTest, SeesChangedParametersAfterRefresh) {
  const Problem problem(GetParam());
  const at::NoGradGuard no_gradient;
  for (const bool bfloat16 : {false, true}) {
    at::Tensor gradient = at::zeros_like(problem.gradient), parameters = problem.stack.parameters().clone();
    DeviceStack stack(GetParam(), parameters, gradient, bfloat16);
    DeviceStack::Activations activations = stack.Allocate(kRows);
    const at::Tensor before = stack.Forward(problem.x, &activations).clone();
    parameters.mul_(0.5);
    stack.Refresh();
    EXPECT_GT(Difference(stack.Forward(problem.x, &activations), before), 0.1);
  }
}

INSTANTIATE_TEST_SUITE_P(Specs, DeviceStackTest, ::testing::ValuesIn(AllSpecs()));

}  // namespace
}  // namespace troupe
