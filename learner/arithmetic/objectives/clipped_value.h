// The clipped value loss, Huber's or half the square (arXiv:2103.01955, appendix): each output is a value, with
// ValueRow's fields (loss_rows.h).
#ifndef TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_CLIPPED_VALUE_H_
#define TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_CLIPPED_VALUE_H_

#include "learner/arithmetic/objectives/loss_rows.h"
#include "learner/arithmetic/objectives/objective.h"

namespace troupe {

class ClippedValueObjective final : public Objective {
 public:
  enum Figure { kLoss, kNumFigures };

  // `settings` but for its denominator.
  explicit ClippedValueObjective(const ValueLossSettings& settings) : settings_(settings) {}

  int64_t FieldsPerRow(int64_t width) const override { return width * ValueRow::kCount; }
  bool has_masks() const override { return false; }
  int num_figures() const override { return kNumFigures; }
  void Rows(const ObjectiveRows& rows, double denominator, const Scalars& scalars, float* gradient,
            Figures* sums) const override;
  at::Tensor Operators(const at::Tensor& outputs, const at::Tensor& masks, const at::Tensor& fields,
                       const at::Tensor& free, const at::Tensor& denominators, const at::Tensor& scalars,
                       at::Tensor* free_gradient, at::Tensor* sums) const override;

 private:
  const ValueLossSettings settings_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_CLIPPED_VALUE_H_
