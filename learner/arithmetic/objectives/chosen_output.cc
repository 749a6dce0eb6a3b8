#include "learner/arithmetic/objectives/chosen_output.h"

#include <algorithm>

#include "learner/torch/torch_headers.h"

namespace troupe {

void ChosenOutputObjective::Rows(const ObjectiveRows& rows, double denominator, const Scalars&, float* gradient,
                                 Figures* sums) const {
  const auto scale = static_cast<float>(1.0 / denominator);
  for (int64_t row = 0; row < rows.rows; ++row) {
    const int64_t source = rows.index == nullptr ? row : rows.index[row];
    const float* const field = rows.fields + source * ChosenOutputRow::kCount;
    float* const to = gradient + row * rows.width;
    std::fill_n(to, rows.width, 0.0f);
    if (field[ChosenOutputRow::kAlive] == 0.0f) continue;
    const auto action = static_cast<int64_t>(field[ChosenOutputRow::kAction]);
    const float slope = field[ChosenOutputRow::kSlope];
    to[action] = scale * slope;
    (*sums)[kLoss] += slope * rows.outputs[row * rows.width + action];
  }
}

at::Tensor ChosenOutputObjective::Operators(const at::Tensor& outputs, const at::Tensor&, const at::Tensor& fields,
                                            const at::Tensor&, const at::Tensor& denominators, const at::Tensor&,
                                            at::Tensor*, at::Tensor* sums) const {
  const at::Tensor alive = fields.select(-1, ChosenOutputRow::kAlive) != 0;
  const at::Tensor slope = fields.select(-1, ChosenOutputRow::kSlope);
  const at::Tensor share = at::where(alive, slope, at::zeros_like(slope)) / denominators.unsqueeze(-1);
  const at::Tensor action = fields.select(-1, ChosenOutputRow::kAction).to(at::kLong).unsqueeze(-1);
  const at::Tensor gradient = at::zeros_like(outputs).scatter(-1, action, share.unsqueeze(-1));
  *sums = (outputs * gradient).sum({1, 2}).unsqueeze(-1);
  return gradient;
}

}  // namespace troupe
