// Layer norms out of blocks, against LibTorch's in double precision and against finite differences: every combination
// of norms, activations and kernels, at sizes around those that vectors and blocks are made of.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "tests/algorithms/block_run.h"
#include "tests/algorithms/print_stack.h"

namespace troupe {
namespace {

// All parameters random, of a size that lets every one matter; gains of either sign.
at::Tensor RandomParameters(const DenseStackSpec& spec) {
  const at::NoGradGuard no_gradient;
  at::Tensor flat = DenseStack(spec, 5, at::kCPU).parameters().detach().clone();
  flat.add_(RandomTensor(flat.sizes(), 9) * 0.1);
  for (auto& [name, part] : SplitParameters(spec, flat)) {
    if (name.ends_with(".gain")) part.add_(RandomTensor(part.sizes(), 10) * 0.5);
  }
  return flat;
}

std::vector<DenseStackSpec> Specs() {
  std::vector<DenseStackSpec> specs;
  for (const Activation activation : {Activation::kRelu, Activation::kTanh}) {
    for (const auto& [input, hidden] : {std::pair(true, false), std::pair(false, true), std::pair(true, true)}) {
      const auto add = [&](int sets, int inputs, std::vector<int> widths, int outputs) {
        specs.push_back({.num_sets = sets,
                         .input_size = inputs,
                         .hidden_sizes = std::move(widths),
                         .output_size = outputs,
                         .activation = activation,
                         .input_layer_norm = input,
                         .hidden_layer_norm = hidden});
      };
      add(1, 7, {33}, 1);
      add(2, 33, {7, 40}, 3);
      add(3, 16, {64, 33}, 33);
      add(1, 20, {15, 1, 17}, 2);
      if (input) add(2, 1, {8}, 2);
    }
  }
  return specs;
}

class BlockNormTest : public ::testing::TestWithParam<DenseStackSpec> {
 protected:
  void SetUp() override {
    if (Kinds().empty()) GTEST_SKIP() << "this processor has no AVX2";
  }
  void TearDown() override { SetComputeThreads(1); }

  at::Tensor Inputs(int64_t rows) const { return RandomTensor({spec_.num_sets, rows, spec_.input_size}, 6) * 2 + 1; }
  at::Tensor Seed(int64_t rows) const { return RandomTensor({spec_.num_sets, rows, spec_.output_size}, 7); }

  const DenseStackSpec& spec_ = GetParam();
  const at::Tensor parameters_ = RandomParameters(spec_);
};

bool IsFloat32(const Kind& kind) { return kind.tolerance < 1e-3; }

TEST_P(BlockNormTest, AgreesWithDoublePrecisionAtEverySize) {
  for (const int64_t rows : {1, 2, 127, 128, 129, 400}) {
    const at::Tensor x = Inputs(rows), seed = Seed(rows);
    const Outcome reference = RunReference(spec_, parameters_, x, seed);
    const auto expected = SplitParameters(spec_, reference.gradient);
    const double scale = reference.gradient.abs().max().item<double>();
    // The norm of a single unit is its bias: what rounding leaves of a difference that is 0 comes out 1 / √1e-5 times
    // as large in the layers before it.
    const bool degenerate = spec_.hidden_layer_norm && std::ranges::count(spec_.hidden_sizes, 1) > 0;
    for (const Kind& kind : Kinds(spec_)) {
      // Few rows and few units: one that bfloat16 moves to the other side of its ReLU is most of the gradient.
      if (!IsFloat32(kind) && spec_.activation == Activation::kRelu) continue;
      const Outcome blocks = RunBlocks(spec_, kind.kernels, parameters_, x, seed);
      EXPECT_LT(Difference(blocks.y, reference.y), kind.tolerance) << kind.name << ", rows " << rows;
      // Part by part: one that is small beside the others must be right as well.
      for (const auto& [name, part] : SplitParameters(spec_, blocks.gradient)) {
        const at::Tensor& of = expected.at(name);
        const double least = (degenerate ? 10 : IsFloat32(kind) ? 1e-2 : 0.3) * scale;
        const double allowed = kind.gradient_tolerance * std::max(of.abs().max().item<double>(), least);
        EXPECT_LT((part - of).abs().max().item<double>(), allowed) << name << ", " << kind.name << ", rows " << rows;
      }
    }
  }
}

TEST_P(BlockNormTest, GradientsAreWhatSmallStepsOfTheParametersDo) {
  DenseStackSpec smooth = spec_;
  smooth.activation = Activation::kTanh;
  const int64_t rows = 129;
  const at::Tensor x = Inputs(rows), seed = Seed(rows);
  for (const Kind& kind : Kinds()) {
    if (!IsFloat32(kind)) continue;
    const auto loss = [&](const at::Tensor& parameters) {
      return (RunBlocks(smooth, kind.kernels, parameters, x, seed).y.to(at::kDouble) * seed).sum().item<double>();
    };
    const at::Tensor gradient = RunBlocks(smooth, kind.kernels, parameters_, x, seed).gradient;
    const double scale = gradient.abs().max().item<double>();
    for (const auto& [name, part] : SplitParameters(smooth, gradient)) {
      // Along the part's own gradient the loss grows by its norm.
      const double norm = part.to(at::kDouble).norm().item<double>();
      if (norm < 1e-3 * scale) continue;
      const double step = 2e-3;
      at::Tensor up = parameters_.clone(), down = parameters_.clone();
      SplitParameters(smooth, up).at(name).add_(part, step / norm);
      SplitParameters(smooth, down).at(name).sub_(part, step / norm);
      EXPECT_NEAR((loss(up) - loss(down)) / (2 * step) / norm, 1.0, 0.02) << name << ", " << kind.name;
    }
  }
}

TEST_P(BlockNormTest, GivesTheSameBitsInVectorsOfAnyWidth) {
  if (BlockKernelsF32() == BlockKernelsF32Avx2()) GTEST_SKIP() << "this processor has no AVX-512";
  for (const int64_t rows : {1, 127, 129}) {
    const at::Tensor x = Inputs(rows), seed = Seed(rows);
    const Outcome wide = RunBlocks(spec_, BlockKernelsF32(), parameters_, x, seed);
    const Outcome narrow = RunBlocks(spec_, BlockKernelsF32Avx2(), parameters_, x, seed);
    EXPECT_TRUE(at::equal(wide.y, narrow.y)) << rows;
    EXPECT_TRUE(at::equal(wide.gradient, narrow.gradient)) << rows;
  }
}

TEST_P(BlockNormTest, ARowOfOneValueIsNormalisedToZeros) {
  at::Tensor x = Inputs(3);
  const float values[] = {0.0f, 3.7f, -1e6f};
  for (int64_t row = 0; row < 3; ++row) x.select(1, row).fill_(values[row]);
  const at::Tensor seed = Seed(3);
  for (const Kind& kind : Kinds()) {
    const Outcome blocks = RunBlocks(spec_, kind.kernels, parameters_, x, seed);
    EXPECT_TRUE(blocks.y.isfinite().all().item<bool>()) << kind.name;
    EXPECT_TRUE(blocks.gradient.isfinite().all().item<bool>()) << kind.name;
    if (!spec_.input_layer_norm) continue;
    EXPECT_TRUE(at::equal(blocks.y.select(1, 0), blocks.y.select(1, 1))) << kind.name;
    EXPECT_TRUE(at::equal(blocks.y.select(1, 0), blocks.y.select(1, 2))) << kind.name;
  }
}

TEST_P(BlockNormTest, UnitsThatAllStandStillLeaveFiniteNumbers) {
  // Layers that multiply by 0: their outputs are the same in every row, and, with their biases equal, in every column.
  at::Tensor parameters = parameters_.clone();
  for (auto& [name, part] : SplitParameters(spec_, parameters)) {
    if (name.starts_with("layers.")) part.fill_(name.ends_with(".bias") ? 0.3 : 0.0);
  }
  const at::Tensor x = Inputs(20), seed = Seed(20);
  const Outcome reference = RunReference(spec_, parameters, x, seed);
  for (const Kind& kind : Kinds()) {
    const Outcome blocks = RunBlocks(spec_, kind.kernels, parameters, x, seed);
    EXPECT_LT(Difference(blocks.y, reference.y), kind.tolerance) << kind.name;
    EXPECT_TRUE(blocks.gradient.isfinite().all().item<bool>()) << kind.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Specs, BlockNormTest, ::testing::ValuesIn(Specs()));

TEST(BlockNorm, KeepsSmallDifferencesOfLargeInputs) {
  const DenseStackSpec spec{.input_size = 37, .hidden_sizes = {24}, .output_size = 3, .input_layer_norm = true};
  const at::Tensor parameters = RandomParameters(spec), seed = RandomTensor({1, 50, 3}, 7);
  const at::Tensor x = RandomTensor({1, 50, 37}, 6) + 1e5;
  const Outcome reference = RunReference(spec, parameters, x, seed);
  for (const Kind& kind : Kinds()) {
    const Outcome blocks = RunBlocks(spec, kind.kernels, parameters, x, seed);
    EXPECT_LT(Difference(blocks.y, reference.y), kind.tolerance) << kind.name;
    EXPECT_LT(Difference(blocks.gradient, reference.gradient), kind.gradient_tolerance) << kind.name;
  }
}

TEST(BlockNorm, KeepsARowWhoseFirstValueStandsOut) {
  const DenseStackSpec spec{.input_size = 155, .hidden_sizes = {24}, .output_size = 3, .input_layer_norm = true};
  const at::Tensor parameters = RandomParameters(spec), seed = RandomTensor({1, 50, 3}, 7);
  at::Tensor x = RandomTensor({1, 50, 155}, 6);
  x.select(2, 0).fill_(1e4);
  const Outcome reference = RunReference(spec, parameters, x, seed);
  for (const Kind& kind : Kinds()) {
    const Outcome blocks = RunBlocks(spec, kind.kernels, parameters, x, seed);
    EXPECT_LT(Difference(blocks.y, reference.y), std::max(kind.tolerance, 1e-4)) << kind.name;
  }
}

}  // namespace
}  // namespace troupe
