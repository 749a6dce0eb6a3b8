#include "learner/arithmetic/networks/dense_stack.h"

#include <gtest/gtest.h>

#include "learner/arithmetic/host/compute_pool.h"
#include "tests/algorithms/print_stack.h"

namespace troupe {
namespace {

DenseStackSpec Spec(int sets, Activation activation, bool input_norm, bool hidden_norm) {
  return {.num_sets = sets,
          .input_size = 11,
          .hidden_sizes = {24, 17},
          .output_size = 5,
          .activation = activation,
          .input_layer_norm = input_norm,
          .hidden_layer_norm = hidden_norm};
}

std::vector<DenseStackSpec> AllSpecs() {
  std::vector<DenseStackSpec> specs;
  for (const int sets : {1, 3}) {
    for (const Activation activation : {Activation::kRelu, Activation::kTanh}) {
      for (int norms = 0; norms < 4; ++norms) specs.push_back(Spec(sets, activation, norms & 1, norms & 2));
    }
  }
  specs.push_back({.num_sets = 2, .input_size = 4, .output_size = 3});
  return specs;
}

at::Tensor RandomTensor(at::IntArrayRef shape, int64_t seed, at::ScalarType type = at::kFloat) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  return at::randn(shape, generator, at::TensorOptions().dtype(at::kDouble)).to(type);
}

void ExpectClose(const at::Tensor& a, const at::Tensor& b, double tolerance) {
  ASSERT_EQ(a.sizes(), b.sizes());
  EXPECT_LT((a - b).abs().max().item<double>(), tolerance * (1.0 + b.abs().max().item<double>()));
}

class DenseStackTest : public ::testing::TestWithParam<DenseStackSpec> {};

TEST_P(DenseStackTest, LibTorchsGradientAgreesWithFiniteDifferences) {
  const DenseStackSpec& spec = GetParam();
  const DenseStack stack(spec, 5, at::kCPU);
  at::Tensor parameters = stack.parameters().detach().to(at::kDouble).requires_grad_(true);
  const at::Tensor x = RandomTensor({spec.num_sets, 6, spec.input_size}, 6, at::kDouble);
  const at::Tensor seed = RandomTensor({spec.num_sets, 6, spec.output_size}, 7, at::kDouble);
  const auto loss = [&](const at::Tensor& p) { return (ForwardReference(spec, p, x) * seed).sum(); };
  const at::Tensor gradient = torch::autograd::grad({loss(parameters)}, {parameters})[0];
  const at::NoGradGuard no_gradient;
  for (int64_t i = 0; i < parameters.numel(); i += 41) {
    at::Tensor moved = parameters.detach().clone();
    moved[i] += 1e-6;
    const double above = loss(moved).item<double>();
    moved[i] -= 2e-6;
    EXPECT_NEAR(gradient[i].item<double>(), (above - loss(moved).item<double>()) / 2e-6, 1e-5) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Specs, DenseStackTest, ::testing::ValuesIn(AllSpecs()));

TEST(InitialParameters, AreOrthogonalWithTheActivationsGainPerSet) {
  const DenseStackSpec spec{
      .num_sets = 2, .input_size = 8, .hidden_sizes = {20}, .output_size = 3, .output_gain = 0.01f};
  const std::vector<float> values = InitialParameters(spec, 3);
  const at::Tensor weight = at::from_blob(const_cast<float*>(values.data()), {2, 8, 20}, at::kFloat);
  for (int64_t set = 0; set < 2; ++set) {
    ExpectClose(at::mm(weight[set], weight[set].t()), 2.0 * at::eye(8), 1e-5);
  }
  EXPECT_FALSE(at::equal(weight[0], weight[1]));
  const at::Tensor output =
      at::from_blob(const_cast<float*>(values.data()) + 2 * (8 * 20 + 20), {2, 20, 3}, at::kFloat);
  ExpectClose(at::mm(output[1].t(), output[1]), 1e-4 * at::eye(3), 1e-9);
  EXPECT_EQ(values, InitialParameters(spec, 3));
  EXPECT_NE(values, InitialParameters(spec, 4));
}

TEST(InitialParameters, OfAnLstmForgetLittleAtFirst) {
  DenseStackSpec spec{.num_sets = 2, .input_size = 3, .output_size = 2, .cell = Cell::kLstm, .recurrent_size = 4};
  const std::vector<float> values = InitialParameters(spec, 3);
  int64_t first = 0;
  for (const DenseStackSpec::Parameter& parameter : spec.Parameters()) {
    const int64_t size = c10::multiply_integers(parameter.shape);
    for (int64_t i = 0; i < size && parameter.name.ends_with("bias"); ++i) {
      const bool forgets = parameter.name == "cell.input_bias" && i % 16 / 4 == 1;  // gates i, f, g, o of four
      EXPECT_EQ(values[first + i], forgets ? 1.0f : 0.0f) << parameter.name << " " << i;
    }
    first += size;
  }
}

TEST(InitialParameters, OfAGruAreOrthogonalOverAllGates) {
  DenseStackSpec spec{.input_size = 3, .output_size = 2, .cell = Cell::kGru, .recurrent_size = 4};
  const std::vector<float> values = InitialParameters(spec, 3);
  // cell.input_weight [3, 12] comes first, its rows orthonormal.
  for (int a = 0; a < 3; ++a) {
    for (int b = 0; b < 3; ++b) {
      double dot = 0;
      for (int i = 0; i < 12; ++i) dot += static_cast<double>(values[a * 12 + i]) * values[b * 12 + i];
      EXPECT_NEAR(dot, a == b, 1e-6);
    }
  }
}

TEST(InitialParameters, AreWithinKaimingsBoundOtherwise) {
  DenseStackSpec spec{.input_size = 12, .hidden_sizes = {50}, .output_size = 2, .orthogonal_init = false};
  const std::vector<float> values = InitialParameters(spec, 3);
  const auto [low, high] = std::minmax_element(values.begin(), values.begin() + 12 * 50);
  const double bound = std::sqrt(6.0 / 12.0);
  EXPECT_LT(*high, bound);
  EXPECT_GT(*low, -bound);
  EXPECT_GT(*high - *low, 1.9 * bound);
}

TEST(ParallelFor, CoversEveryTaskOnceHoweverManyLanes) {
  for (const int threads : {1, 2, 5}) {
    SetComputeThreads(threads);
    for (const int64_t tasks : {0, 1, 4, 1000}) {
      std::vector<int> count(tasks, 0);
      for (int repeat = 0; repeat < 100; ++repeat) {
        ParallelFor(tasks, [&](int lane, int64_t begin, int64_t end) {
          EXPECT_LT(lane, threads);
          for (int64_t i = begin; i < end; ++i) ++count[i];
        });
      }
      EXPECT_EQ(count, std::vector<int>(tasks, 100));
    }
  }
  SetComputeThreads(1);
}

}  // namespace
}  // namespace troupe
