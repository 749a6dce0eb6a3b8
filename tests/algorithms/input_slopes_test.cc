#include "learner/arithmetic/cpu/input_slopes.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/base/random.h"
#include "learner/arithmetic/host/compute_pool.h"
#include "learner/arithmetic/networks/dense_stack.h"

namespace troupe {
namespace {

// No hidden layer: y = x · w + b, whose slopes are w.
TEST(InputSlopesTest, OfALinearFunctionAreItsWeights) {
  const DenseStackSpec spec{.num_sets = 2, .input_size = 2, .output_size = 1};
  // weight [2, 2, 1], then bias [2, 1].
  const at::Tensor parameters = at::tensor({2.0f, -1.0f, 0.5f, 3.0f, 10.0f, 20.0f}, at::kFloat);
  const InputGradient found = DifferentiateByInputs(spec, parameters, {1, 1, 2, 0, 4, 1, 0, 2}, 2);
  EXPECT_EQ(found.outputs, (std::vector<float>{11, 14, 25, 26}));
  EXPECT_EQ(found.slopes, (std::vector<float>{2, -1, 2, -1, 0.5f, 3, 0.5f, 3}));
}

// With a norm of the inputs LibTorch computes them, without one the block kernels do where the processor has them.
class InputSlopesOfTest : public ::testing::TestWithParam<DenseStackSpec> {
 protected:
  void TearDown() override { SetComputeThreads(1); }
};

TEST_P(InputSlopesOfTest, AreWhatFiniteDifferencesSayOnAnyNumberOfThreads) {
  const DenseStackSpec& spec = GetParam();
  constexpr int64_t kRows = 301;
  const std::vector<float> flat = InitialParameters(spec, 4);
  const at::Tensor parameters = at::tensor(flat, at::kFloat);
  RandomStream random(7);
  const int64_t sets = spec.num_sets, width = spec.input_size;
  std::vector<float> inputs(sets * kRows * width);
  for (float& x : inputs) x = static_cast<float>(random.Normal());
  const InputGradient found = DifferentiateByInputs(spec, parameters, inputs, kRows);
  for (const int threads : {2, 3}) {
    SetComputeThreads(threads);
    const InputGradient again = DifferentiateByInputs(spec, parameters, inputs, kRows);
    EXPECT_EQ(again.outputs, found.outputs);
    EXPECT_EQ(again.slopes, found.slopes);
  }
  SetComputeThreads(1);
  const at::Tensor exact = parameters.to(at::kDouble);
  const auto outputs = [&](int64_t input, double step) {
    at::Tensor x = at::tensor(inputs, at::kFloat).to(at::kDouble).view({sets, kRows, width}).clone();
    x.select(2, input).add_(step);
    return ForwardReference(spec, exact, x).contiguous();
  };
  const at::Tensor values = outputs(0, 0);
  for (int64_t row = 0; row < sets * kRows; ++row) {
    ASSERT_NEAR(found.outputs[row], values.const_data_ptr<double>()[row], 1e-4) << row;
  }
  for (int64_t input = 0; input < width; ++input) {
    const at::Tensor slope = (outputs(input, 1e-5) - outputs(input, -1e-5)) / 2e-5;
    for (int64_t row = 0; row < sets * kRows; ++row) {
      ASSERT_NEAR(found.slopes[row * width + input], slope.const_data_ptr<double>()[row], 1e-4) << row << " " << input;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Specs, InputSlopesOfTest,
    ::testing::Values(DenseStackSpec{.num_sets = 3,
                                     .input_size = 5,
                                     .hidden_sizes = {16, 8},
                                     .output_size = 1,
                                     .activation = Activation::kTanh,
                                     .input_layer_norm = true,
                                     .hidden_layer_norm = true},
                      DenseStackSpec{.num_sets = 2,
                                     .input_size = 37,
                                     .hidden_sizes = {48, 33},
                                     .output_size = 1,
                                     .activation = Activation::kTanh},
                      DenseStackSpec{.input_size = 37,
                                     .hidden_sizes = {40},
                                     .output_size = 1,
                                     .activation = Activation::kTanh,
                                     .hidden_layer_norm = true}));

}  // namespace
}  // namespace troupe
