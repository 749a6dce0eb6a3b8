#include "learner/arithmetic/cpu/input_slopes.h"

#include <algorithm>

#include "learner/arithmetic/host/compute_pool.h"
#include "learner/arithmetic/networks/dense_stack.h"

namespace troupe {
namespace {

// Rows of all sets together that pass at once, on one thread.
constexpr int64_t kRowsPerPart = 256;

}  // namespace

InputGradient DifferentiateByInputs(const DenseStackSpec& spec, const at::Tensor& parameters,
                                    absl::Span<const float> inputs, int64_t rows) {
  const int64_t sets = spec.num_sets, width = spec.input_size;
  InputGradient found{std::vector<float>(sets * rows), std::vector<float>(sets * rows * width)};
  if (rows == 0) return found;
  const at::Tensor all = at::from_blob(const_cast<float*>(inputs.data()), {sets, rows, width}, at::kFloat);
  const at::Tensor fixed = parameters.detach();
  const int64_t per_part = std::max<int64_t>(1, kRowsPerPart / sets);
  ParallelTasks((rows + per_part - 1) / per_part, [&](int, int64_t part) {
    const at::AutoGradMode with_gradient(true);
    const int64_t first = part * per_part, count = std::min(per_part, rows - first);
    const at::Tensor leaf =
        all.narrow(1, first, count).clone(at::MemoryFormat::Contiguous).detach().requires_grad_(true);
    const at::Tensor outputs = ForwardReference(spec, fixed, leaf);
    const at::Tensor slopes = torch::autograd::grad({outputs.sum()}, {leaf}).front().contiguous();
    const at::Tensor values = outputs.detach().contiguous();
    for (int64_t set = 0; set < sets; ++set) {
      std::copy_n(values.const_data_ptr<float>() + set * count, count, found.outputs.begin() + set * rows + first);
      std::copy_n(slopes.const_data_ptr<float>() + set * count * width, count * width,
                  found.slopes.begin() + (set * rows + first) * width);
    }
  });
  return found;
}

}  // namespace troupe
