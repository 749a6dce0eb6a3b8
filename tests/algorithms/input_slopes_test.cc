#include "learner/arithmetic/cpu/input_slopes.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "common/base/random.h"
#include "learner/arithmetic/blocks/block_slopes.h"
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

using Differentiate = std::function<InputGradient(absl::Span<const float> inputs, int64_t rows)>;

// Held to finite differences in float64 of the network as LibTorch computes it.
void ExpectSlopes(const DenseStackSpec& spec, const at::Tensor& parameters, const Differentiate& differentiate) {
  constexpr int64_t kRows = 301;
  RandomStream random(7);
  const int64_t sets = spec.num_sets, width = spec.input_size;
  std::vector<float> inputs(sets * kRows * width);
  for (float& x : inputs) x = static_cast<float>(random.Normal());
  const InputGradient found = differentiate(inputs, kRows);
  for (const int threads : {2, 3}) {
    SetComputeThreads(threads);
    const InputGradient again = differentiate(inputs, kRows);
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

TEST(InputSlopesTest, AreWhatFiniteDifferencesSayOnAnyNumberOfThreads) {
  const DenseStackSpec spec{.num_sets = 3,
                            .input_size = 5,
                            .hidden_sizes = {16, 8},
                            .output_size = 1,
                            .activation = Activation::kTanh,
                            .input_layer_norm = true,
                            .hidden_layer_norm = true};
  const at::Tensor parameters = at::tensor(InitialParameters(spec, 4), at::kFloat);
  ExpectSlopes(spec, parameters, [&](absl::Span<const float> inputs, int64_t rows) {
    return DifferentiateByInputs(spec, parameters, inputs, rows);
  });
}

// One BlockSlopes for all calls; parameters that change between them.
TEST(BlockSlopesTest, AreWhatFiniteDifferencesSayOnAnyNumberOfThreads) {
  for (const bool normed : {false, true}) {
    const DenseStackSpec spec{.num_sets = 2,
                              .input_size = 37,
                              .hidden_sizes = {48, 33},
                              .output_size = 1,
                              .activation = Activation::kTanh,
                              .hidden_layer_norm = normed};
    if (!BlockSlopes::Covers(spec)) GTEST_SKIP() << "this processor has no AVX2";
    const at::Tensor parameters = at::tensor(InitialParameters(spec, 4), at::kFloat);
    BlockSlopes slopes(spec, parameters.const_data_ptr<float>());
    for (int round = 0; round < 2; ++round) {
      ExpectSlopes(spec, parameters,
                   [&](absl::Span<const float> inputs, int64_t rows) { return slopes.Differentiate(inputs, rows); });
      parameters.mul_(0.9);
    }
  }
}

TEST(BlockSlopesTest, AreLibTorchsOfReluAndWithoutHiddenLayers) {
  for (const std::vector<int>& hidden : {std::vector<int>{}, std::vector<int>{40, 64}}) {
    const DenseStackSpec spec{.input_size = 5, .hidden_sizes = hidden, .output_size = 1};
    if (!BlockSlopes::Covers(spec)) GTEST_SKIP() << "this processor has no AVX2";
    const at::Tensor parameters = at::tensor(InitialParameters(spec, 4), at::kFloat);
    const std::vector<float> inputs = {1, -2, 0.5f, 3, -1, 0.25f, 1.5f, -0.75f, 2, 1};
    const InputGradient expected = DifferentiateByInputs(spec, parameters, inputs, 2);
    const InputGradient found = BlockSlopes(spec, parameters.const_data_ptr<float>()).Differentiate(inputs, 2);
    for (size_t i = 0; i < found.slopes.size(); ++i) EXPECT_NEAR(found.slopes[i], expected.slopes[i], 1e-5) << i;
    for (size_t i = 0; i < found.outputs.size(); ++i) EXPECT_NEAR(found.outputs[i], expected.outputs[i], 1e-5) << i;
  }
}

TEST(BlockSlopesTest, LeaveNormsOfTheInputsToLibTorch) {
  EXPECT_FALSE(BlockSlopes::Covers({.input_size = 5, .output_size = 1, .input_layer_norm = true}));
}

}  // namespace
}  // namespace troupe
