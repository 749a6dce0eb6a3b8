// Every output of a row is pushed by a slope that was computed elsewhere: loss = Σ slope · y / denominator. With the
// slopes ∂L/∂y at the outputs that were inferred, its gradient is that of L, whatever L sees of the outputs (a critic
// of actions, for one), as long as the parameters have not moved since.
#ifndef TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_PUSHED_OUTPUTS_H_
#define TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_PUSHED_OUTPUTS_H_

#include "learner/arithmetic/objectives/objective.h"

namespace troupe {

// A row brings the slope of each output; zeros where it is to contribute nothing.
class PushedOutputsObjective final : public Objective {
 public:
  enum Figure { kLoss, kNumFigures };

  int64_t FieldsPerRow(int64_t width) const override { return width; }
  bool has_masks() const override { return false; }
  int num_figures() const override { return kNumFigures; }
  void Rows(const ObjectiveRows& rows, double denominator, const Scalars& scalars, float* gradient,
            Figures* sums) const override;
  at::Tensor Operators(const at::Tensor& outputs, const at::Tensor& masks, const at::Tensor& fields,
                       const at::Tensor& free, const at::Tensor& denominators, const at::Tensor& scalars,
                       at::Tensor* free_gradient, at::Tensor* sums) const override;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_PUSHED_OUTPUTS_H_
