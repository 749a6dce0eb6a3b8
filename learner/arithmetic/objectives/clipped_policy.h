// PPO's clipped surrogate with an entropy bonus (arXiv:1707.06347, equation 7; decoupled: arXiv:2110.00641, equation 6)
// for a categorical policy: outputs are logits, a row's fields are PolicyRow's (loss_rows.h).
#ifndef TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_CLIPPED_POLICY_H_
#define TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_CLIPPED_POLICY_H_

#include "learner/arithmetic/objectives/loss_rows.h"
#include "learner/arithmetic/objectives/objective.h"

namespace troupe {

class ClippedPolicyObjective final : public Objective {
 public:
  enum Scalar { kEntropyCoefficient };
  using Figure = PolicyLossSum::Sum;

  explicit ClippedPolicyObjective(double clip) : clip_(clip) {}

  int64_t FieldsPerRow(int64_t) const override { return PolicyRow::kCount; }
  bool has_masks() const override { return true; }
  int num_figures() const override { return PolicyLossSum::kCount; }
  void Rows(const ObjectiveRows& rows, double denominator, const Scalars& scalars, float* gradient,
            Figures* sums) const override;
  at::Tensor Operators(const at::Tensor& outputs, const at::Tensor& masks, const at::Tensor& fields,
                       const at::Tensor& free, const at::Tensor& denominators, const at::Tensor& scalars,
                       at::Tensor* free_gradient, at::Tensor* sums) const override;

 private:
  const double clip_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_CLIPPED_POLICY_H_
