#include <gtest/gtest.h>

#include <numeric>

#include "learner/arithmetic/blocks/block_engine.h"
#include "learner/arithmetic/host/compute_pool.h"
#include "learner/arithmetic/networks/dense_stack.h"
#include "tests/algorithms/print_stack.h"

namespace troupe {
namespace {

at::Tensor RandomTensor(at::IntArrayRef shape, int64_t seed) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions().dtype(at::kDouble)).to(at::kFloat);
}

// Shapes with remainders everywhere, with whole panels, and without hidden layers.
std::vector<DenseStackSpec> Specs() {
  std::vector<DenseStackSpec> specs;
  for (const Activation activation : {Activation::kRelu, Activation::kTanh}) {
    specs.push_back({.input_size = 11, .hidden_sizes = {24, 17}, .output_size = 5, .activation = activation});
    specs.push_back(
        {.num_sets = 3, .input_size = 17, .hidden_sizes = {128, 64}, .output_size = 4, .activation = activation});
    specs.push_back({.input_size = 155, .hidden_sizes = {256, 96, 33}, .output_size = 40, .activation = activation});
  }
  specs.push_back({.num_sets = 2, .input_size = 4, .output_size = 3});
  return specs;
}

struct Kind {
  const char* name;
  const BlockKernels* kernels;
  // Of the largest value. In bfloat16 rounding moves a few units to the other side of their ReLU, and with them all
  // that a row adds to their weights' gradient.
  double tolerance, gradient_tolerance;
};

std::vector<Kind> Kinds() {
  std::vector<Kind> kinds;
  if (BlockKernelsF32() != nullptr) kinds.push_back({"f32", BlockKernelsF32(), 2e-5, 2e-5});
  if (BlockKernelsF32Avx2() != nullptr) kinds.push_back({"f32, AVX2", BlockKernelsF32Avx2(), 2e-5, 2e-5});
  if (BlockKernelsBf16() != nullptr) kinds.push_back({"bf16", BlockKernelsBf16(), 4e-2, 1e-1});
  if (BlockKernelsAmx() != nullptr) kinds.push_back({"amx", BlockKernelsAmx(), 4e-2, 1e-1});
  return kinds;
}

double Difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>() / (1e-6 + b.abs().max().item<double>());
}

// A loss whose gradient is what the fields say.
class GivenGradient final : public Objective {
 public:
  int64_t FieldsPerRow(int64_t width) const override { return width; }
  bool has_masks() const override { return false; }
  int num_figures() const override { return 1; }
  void Rows(const ObjectiveRows& rows, double, const Scalars&, float* gradient, Figures*) const override {
    for (int64_t r = 0; r < rows.rows; ++r) {
      std::copy_n(rows.fields + rows.index[r] * rows.width, rows.width, gradient + r * rows.width);
    }
  }
  at::Tensor Operators(const at::Tensor&, const at::Tensor&, const at::Tensor& fields, const at::Tensor&,
                       const at::Tensor&, at::Tensor*) const override {
    return fields;
  }
};

// Outputs and gradient of every `stride`-th of `steps` steps with two rows each, dy taken from `seed`.
struct Outcome {
  at::Tensor y, gradient;
};

Outcome RunBlocks(const DenseStackSpec& spec, const BlockKernels* kernels, const at::Tensor& parameters,
                  const at::Tensor& x, const at::Tensor& seed, const std::vector<int64_t>& steps) {
  const float* values = parameters.const_data_ptr<float>();
  BlockEngine engine(spec, kernels, std::make_shared<GivenGradient>(), values);
  for (int64_t item = 0; item < engine.num_refresh_items(); ++item) engine.Refresh(item);
  const int64_t all_steps = x.size(1) / 2, count = static_cast<int64_t>(steps.size());
  const NetworkRows rows{.inputs = x.const_data_ptr<float>(),
                         .fields = seed.const_data_ptr<float>(),
                         .states = all_steps,
                         .steps = all_steps,
                         .rows_per_step = 2};
  const at::Tensor y = at::empty({spec.num_sets, all_steps, 2 * spec.output_size}, at::kFloat);
  engine.Infer(rows, y.data_ptr<float>());
  const at::Tensor index = at::from_blob(const_cast<int64_t*>(steps.data()), {count}, at::kLong);
  Outcome outcome{y.index_select(1, index).view({spec.num_sets, 2 * count, spec.output_size}),
                  at::full_like(parameters, 7.0)};
  const std::vector<double> denominators(spec.num_sets, 1.0);
  engine.Begin(rows, {.steps = steps.data(), .num_steps = count, .denominators = denominators.data()});
  ParallelTasks(engine.num_parts(), [&](int lane, int64_t part) { engine.RunPart(part, lane); });
  for (int64_t item = 0; item < engine.num_sum_items(); ++item) {
    engine.Sum(item, outcome.gradient.data_ptr<float>());
  }
  return outcome;
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
  const at::Tensor x = RandomTensor({spec_.num_sets, 2 * steps, spec_.input_size}, 6);
  const at::Tensor seed = RandomTensor({spec_.num_sets, 2 * steps, spec_.output_size}, 7);
  std::vector<int64_t> chosen;
  for (int64_t step = steps - 1; step >= 0; step -= 2) chosen.push_back(step);
  const auto pick = [&](const at::Tensor& all) {
    const at::Tensor index = at::from_blob(chosen.data(), {static_cast<int64_t>(chosen.size())}, at::kLong);
    return all.view({spec_.num_sets, steps, -1}).index_select(1, index).view({spec_.num_sets, -1, all.size(-1)});
  };
  const at::Tensor y = ForwardReference(spec_, stack_.parameters(), pick(x));
  const at::Tensor gradient = torch::autograd::grad({y}, {stack_.parameters()}, {pick(seed)})[0];
  const at::NoGradGuard no_gradient;
  for (const Kind& kind : Kinds()) {
    const Outcome blocks = RunBlocks(spec_, kind.kernels, stack_.parameters(), x, seed, chosen);
    EXPECT_LT(Difference(blocks.y, y), kind.tolerance) << kind.name;
    EXPECT_LT(Difference(blocks.gradient, gradient), kind.gradient_tolerance) << kind.name;
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
