#include <gtest/gtest.h>

#include "tests/algorithms/block_run.h"
#include "tests/algorithms/print_stack.h"

namespace troupe {
namespace {

// Shapes with remainders everywhere, with whole panels, and without hidden layers; with layer norms and without.
std::vector<DenseStackSpec> Specs() {
  std::vector<DenseStackSpec> specs;
  for (const Activation activation : {Activation::kRelu, Activation::kTanh}) {
    specs.push_back({.input_size = 11, .hidden_sizes = {24, 17}, .output_size = 5, .activation = activation});
    specs.push_back(
        {.num_sets = 3, .input_size = 17, .hidden_sizes = {128, 64}, .output_size = 4, .activation = activation});
    specs.push_back({.input_size = 155, .hidden_sizes = {256, 96, 33}, .output_size = 40, .activation = activation});
  }
  specs.push_back({.num_sets = 2, .input_size = 4, .output_size = 3});
  for (size_t i = 0, without = specs.size(); i < without; ++i) {
    for (const bool input : {false, true}) {
      DenseStackSpec normed = specs[i];
      normed.input_layer_norm = input;
      normed.hidden_layer_norm = !input || i % 2 == 0;
      if (input || !normed.hidden_sizes.empty()) specs.push_back(normed);
    }
  }
  return specs;
}

class BlockStackTest : public ::testing::TestWithParam<DenseStackSpec> {
 protected:
  void SetUp() override {
    if (Kinds().empty()) GTEST_SKIP() << "this processor has no AVX2";
    const at::NoGradGuard no_gradient;
    stack_.parameters().add_(RandomTensor(stack_.parameters().sizes(), 9) * 0.05);
  }
  void TearDown() override { SetComputeThreads(1); }

  // The same random rows at every call.
  Outcome RunAllSteps(const BlockKernels* kernels, int64_t steps) const {
    const at::Tensor x = RandomTensor({spec_.num_sets, 2 * steps, spec_.input_size}, 6);
    const at::Tensor seed = RandomTensor({spec_.num_sets, 2 * steps, spec_.output_size}, 7);
    std::vector<int64_t> all(steps);
    std::iota(all.begin(), all.end(), 0);
    return RunBlocks(spec_, kernels, stack_.parameters(), x, seed, all);
  }

  const DenseStackSpec& spec_ = GetParam();
  DenseStack stack_{spec_, 5, at::kCPU};
};

TEST_P(BlockStackTest, AgreesWithLibTorchForwardAndBackward) {
  const int64_t steps = 701;
  // Rows of which no unit is within float32's rounding of where its ReLU opens.
  const at::Tensor x = RandomTensor({spec_.num_sets, 2 * steps, spec_.input_size}, 16);
  const at::Tensor seed = RandomTensor({spec_.num_sets, 2 * steps, spec_.output_size}, 7);
  std::vector<int64_t> chosen;
  for (int64_t step = steps - 1; step >= 0; step -= 2) chosen.push_back(step);
  const auto pick = [&](const at::Tensor& all) {
    const at::Tensor index = at::from_blob(chosen.data(), {static_cast<int64_t>(chosen.size())}, at::kLong);
    return all.view({spec_.num_sets, steps, -1}).index_select(1, index).view({spec_.num_sets, -1, all.size(-1)});
  };
  const at::NoGradGuard no_gradient;
  const Outcome reference = RunReference(spec_, stack_.parameters(), pick(x), pick(seed));
  for (const Kind& kind : Kinds(spec_)) {
    const Outcome blocks = RunBlocks(spec_, kind.kernels, stack_.parameters(), x, seed, chosen);
    EXPECT_LT(Difference(blocks.y, reference.y), kind.tolerance) << kind.name;
    EXPECT_LT(Difference(blocks.gradient, reference.gradient), kind.gradient_tolerance) << kind.name;
  }
}

TEST_P(BlockStackTest, GivesTheSameBitsOnAnyNumberOfThreads) {
  const at::NoGradGuard no_gradient;
  for (const Kind& kind : Kinds()) {
    const Outcome one = RunAllSteps(kind.kernels, 640);
    for (const int threads : {2, 3}) {
      SetComputeThreads(threads);
      const Outcome several = RunAllSteps(kind.kernels, 640);
      EXPECT_TRUE(at::equal(one.y, several.y)) << kind.name << " " << threads;
      EXPECT_TRUE(at::equal(one.gradient, several.gradient)) << kind.name << " " << threads;
    }
    SetComputeThreads(1);
  }
}

TEST_P(BlockStackTest, GivesTheSameBitsInVectorsOfAnyWidth) {
  if (BlockKernelsF32() == BlockKernelsF32Avx2()) GTEST_SKIP() << "this processor has no AVX-512";
  const at::NoGradGuard no_gradient;
  const Outcome wide = RunAllSteps(BlockKernelsF32(), 171), narrow = RunAllSteps(BlockKernelsF32Avx2(), 171);
  EXPECT_TRUE(at::equal(wide.y, narrow.y));
  EXPECT_TRUE(at::equal(wide.gradient, narrow.gradient));
}

TEST_P(BlockStackTest, NanInOneRowReachesItsOutputAndTheGradient) {
  at::Tensor x = RandomTensor({spec_.num_sets, 20, spec_.input_size}, 6);
  x[0][3][1] = std::nanf("");
  const at::Tensor seed = RandomTensor({spec_.num_sets, 20, spec_.output_size}, 7);
  const at::NoGradGuard no_gradient;
  for (const Kind& kind : Kinds()) {
    const Outcome blocks = RunBlocks(spec_, kind.kernels, stack_.parameters(), x, seed, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    EXPECT_TRUE(blocks.y[0][3].isnan().all().item<bool>()) << kind.name;
    EXPECT_FALSE(blocks.y[0][2].isnan().any().item<bool>()) << kind.name;
    EXPECT_TRUE(blocks.gradient.isnan().any().item<bool>()) << kind.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Specs, BlockStackTest, ::testing::ValuesIn(Specs()));

TEST(ParallelTasks, RunsEveryTaskOnceHoweverManyLanes) {
  for (const int threads : {1, 2, 5}) {
    SetComputeThreads(threads);
    for (const int64_t tasks : {0, 1, 4, 1000}) {
      std::vector<int> count(tasks, 0);
      for (int repeat = 0; repeat < 50; ++repeat) {
        ParallelTasks(tasks, [&](int lane, int64_t task) {
          EXPECT_LT(lane, threads);
          ++count[task];
        });
      }
      EXPECT_EQ(count, std::vector<int>(tasks, 50));
    }
  }
  SetComputeThreads(1);
}

}  // namespace
}  // namespace troupe
