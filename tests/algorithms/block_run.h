// A network out of blocks, run once on given rows, for tests of its outputs and of all its gradients.
#ifndef TROUPE_TESTS_ALGORITHMS_BLOCK_RUN_H_
#define TROUPE_TESTS_ALGORITHMS_BLOCK_RUN_H_

#include <algorithm>
#include <numeric>
#include <vector>

#include "learner/arithmetic/blocks/block_engine.h"
#include "learner/arithmetic/host/compute_pool.h"
#include "learner/arithmetic/networks/dense_stack.h"

namespace troupe {

inline at::Tensor RandomTensor(at::IntArrayRef shape, int64_t seed) {
  return at::randn(shape, at::detail::createCPUGenerator(seed), at::TensorOptions().dtype(at::kDouble)).to(at::kFloat);
}

struct Kind {
  const char* name;
  const BlockKernels* kernels;
  // Of the largest value. In bfloat16 rounding moves a few units to the other side of their ReLU, and with them all
  // that a row adds to their weights' gradient.
  double tolerance, gradient_tolerance;
};

// Those that this processor has, with their tolerances for such a network. What is divided by its deviation rounds
// anew, and more units pass over to the other side.
inline std::vector<Kind> Kinds(const DenseStackSpec& spec = {}) {
  std::vector<Kind> kinds;
  const bool normed = spec.input_layer_norm || spec.hidden_layer_norm;
  const double rounded = normed ? 8e-2 : 4e-2, rounded_gradient = normed ? 2.5e-1 : 1e-1;
  if (BlockKernelsF32() != nullptr) kinds.push_back({"f32", BlockKernelsF32(), 2e-5, 2e-5});
  if (BlockKernelsF32Avx2() != nullptr) kinds.push_back({"f32, AVX2", BlockKernelsF32Avx2(), 2e-5, 2e-5});
  if (BlockKernelsBf16() != nullptr) kinds.push_back({"bf16", BlockKernelsBf16(), rounded, rounded_gradient});
  if (BlockKernelsAmx() != nullptr) kinds.push_back({"amx", BlockKernelsAmx(), rounded, rounded_gradient});
  return kinds;
}

inline double Difference(const at::Tensor& a, const at::Tensor& b) {
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
                       const at::Tensor&, const at::Tensor&, at::Tensor*, at::Tensor*) const override {
    return fields;
  }
};

struct Outcome {
  at::Tensor y, gradient;
};

// Outputs and gradient of the given steps of x [sets, rows, input], each of so many rows; dy [sets, rows, output] taken
// from `seed`.
inline Outcome RunBlocks(const DenseStackSpec& spec, const BlockKernels* kernels, const at::Tensor& parameters,
                         const at::Tensor& x, const at::Tensor& seed, const std::vector<int64_t>& steps,
                         int64_t rows_per_step = 2) {
  const float* values = parameters.const_data_ptr<float>();
  BlockEngine engine(spec, kernels, std::make_shared<GivenGradient>(), values);
  for (int64_t item = 0; item < engine.num_refresh_items(); ++item) engine.Refresh(item);
  const int64_t all_steps = x.size(1) / rows_per_step, count = static_cast<int64_t>(steps.size());
  const NetworkRows rows{.inputs = x.const_data_ptr<float>(),
                         .fields = seed.const_data_ptr<float>(),
                         .states = all_steps,
                         .steps = all_steps,
                         .rows_per_step = rows_per_step};
  const at::Tensor y = at::empty({spec.num_sets, all_steps, rows_per_step * spec.output_size}, at::kFloat);
  engine.Infer(rows, y.data_ptr<float>());
  const at::Tensor index = at::from_blob(const_cast<int64_t*>(steps.data()), {count}, at::kLong);
  Outcome outcome{y.index_select(1, index).view({spec.num_sets, rows_per_step * count, spec.output_size}),
                  at::full_like(parameters, 7.0)};
  const std::vector<double> denominators(spec.num_sets, 1.0);
  engine.Begin(rows, {.steps = steps.data(), .num_steps = count, .denominators = denominators.data()});
  ParallelTasks(engine.num_parts(), [&](int lane, int64_t part) { engine.RunPart(part, lane); });
  for (int64_t item = 0; item < engine.num_sum_items(); ++item) {
    engine.Sum(item, outcome.gradient.data_ptr<float>());
  }
  return outcome;
}

// All rows in order.
inline Outcome RunBlocks(const DenseStackSpec& spec, const BlockKernels* kernels, const at::Tensor& parameters,
                         const at::Tensor& x, const at::Tensor& seed) {
  std::vector<int64_t> all(x.size(1));
  std::iota(all.begin(), all.end(), 0);
  return RunBlocks(spec, kernels, parameters, x, seed, all, /*rows_per_step=*/1);
}

// The same out of LibTorch's operators and its autograd, in double precision.
inline Outcome RunReference(const DenseStackSpec& spec, const at::Tensor& parameters, const at::Tensor& x,
                            const at::Tensor& seed) {
  const at::AutoGradMode with_gradient(true);
  const at::Tensor leaf = parameters.detach().to(at::kDouble).requires_grad_(true);
  const at::Tensor y = ForwardReference(spec, leaf, x.to(at::kDouble));
  return {y.detach(), torch::autograd::grad({y}, {leaf}, {seed.to(at::kDouble)})[0]};
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ALGORITHMS_BLOCK_RUN_H_
