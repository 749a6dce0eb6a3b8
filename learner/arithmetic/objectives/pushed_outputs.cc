#include "learner/arithmetic/objectives/pushed_outputs.h"

#include "learner/torch/torch_headers.h"

namespace troupe {

void PushedOutputsObjective::Rows(const ObjectiveRows& rows, double denominator, const Scalars&, float* gradient,
                                  Figures* sums) const {
  const auto scale = static_cast<float>(1.0 / denominator);
  for (int64_t row = 0; row < rows.rows; ++row) {
    const int64_t source = rows.index == nullptr ? row : rows.index[row];
    const float* const slopes = rows.fields + source * rows.width;
    for (int64_t i = 0; i < rows.width; ++i) {
      gradient[row * rows.width + i] = scale * slopes[i];
      (*sums)[kLoss] += slopes[i] * rows.outputs[row * rows.width + i];
    }
  }
}

at::Tensor PushedOutputsObjective::Operators(const at::Tensor& outputs, const at::Tensor&, const at::Tensor& fields,
                                             const at::Tensor&, const at::Tensor& denominators, const at::Tensor&,
                                             at::Tensor*, at::Tensor* sums) const {
  const at::Tensor gradient = fields / denominators.view({-1, 1, 1});
  *sums = (outputs * gradient).sum({1, 2}).unsqueeze(-1);
  return gradient;
}

}  // namespace troupe
