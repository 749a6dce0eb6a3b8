#include "learner/arithmetic/blocks/block_slopes.h"

#include <algorithm>

#include "learner/arithmetic/blocks/block_kernels.h"
#include "learner/arithmetic/host/compute_pool.h"

namespace troupe {

bool BlockSlopes::Covers(const DenseStackSpec& spec) {
  return BlockKernelsF32() != nullptr && BlockStack::Covers(spec) && !spec.is_recurrent() && !spec.input_layer_norm;
}

BlockSlopes::BlockSlopes(const DenseStackSpec& spec, const float* parameters)
    : spec_(spec), parameters_(parameters), stack_(spec, BlockKernelsF32(), /*to_inputs=*/true) {}

InputGradient BlockSlopes::Differentiate(absl::Span<const float> inputs, int64_t rows) {
  const int64_t sets = spec_.num_sets, width = spec_.input_size, layers = stack_.num_layers();
  InputGradient found{std::vector<float>(sets * rows), std::vector<float>(sets * rows * width)};
  ParallelTasks(sets * layers, [&](int, int64_t item) { stack_.Pack(parameters_, item / layers, item % layers); });
  while (static_cast<int>(scratches_.size()) < ComputeThreads()) scratches_.emplace_back(stack_);
  const std::vector<float> ones(kBlockRows, 1.0f);
  const int64_t blocks = (rows + kBlockRows - 1) / kBlockRows;
  ParallelTasks(sets * blocks, [&](int lane, int64_t item) {
    const int64_t set = item / blocks, first = item % blocks * kBlockRows, count = std::min(kBlockRows, rows - first);
    const int64_t at = set * rows + first;
    stack_.Forward(parameters_, set, inputs.data() + at * width, nullptr, count, &scratches_[lane],
                   found.outputs.data() + at);
    stack_.SlopesOfInputs(set, ones.data(), count, &scratches_[lane], found.slopes.data() + at * width);
  });
  return found;
}

}  // namespace troupe
