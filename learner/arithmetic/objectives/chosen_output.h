// The chosen output of every row is pushed by a slope that was computed elsewhere: loss = Σ_rows alive · slope ·
// y[action] / denominator. With the slope ∂L/∂y[action] at the outputs that were inferred, its gradient is that of L,
// whatever L joins the rows by (a sum of several networks' outputs, a mixing network), as long as the parameters have
// not moved since. The semi-gradient of temporal differences is one (Sutton and Barto, "Reinforcement Learning",
// section 9.3).
#ifndef TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_CHOSEN_OUTPUT_H_
#define TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_CHOSEN_OUTPUT_H_

#include "learner/arithmetic/objectives/objective.h"

namespace troupe {

// What a row brings to the loss.
struct ChosenOutputRow {
  enum Column {
    kAction,  // index of the output, as a float
    kSlope,
    kAlive,  // 1 or 0; rows at 0 contribute nothing
    kCount,
  };
};

class ChosenOutputObjective final : public Objective {
 public:
  enum Figure { kLoss, kNumFigures };

  int64_t FieldsPerRow(int64_t) const override { return ChosenOutputRow::kCount; }
  bool has_masks() const override { return false; }
  int num_figures() const override { return kNumFigures; }
  void Rows(const ObjectiveRows& rows, double denominator, const Scalars& scalars, float* gradient,
            Figures* sums) const override;
  at::Tensor Operators(const at::Tensor& outputs, const at::Tensor& masks, const at::Tensor& fields,
                       const at::Tensor& free, const at::Tensor& denominators, const at::Tensor& scalars,
                       at::Tensor* free_gradient, at::Tensor* sums) const override;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_CHOSEN_OUTPUT_H_
