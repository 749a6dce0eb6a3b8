// PPO's clipped surrogate with an entropy bonus (arXiv:1707.06347, equation 7; decoupled: arXiv:2110.00641, equation 6)
// for a categorical policy, or for one that draws several indices at once, each from a softmax of its own: outputs are
// logits, those of all indices side by side; a row's fields are PolicyRow's (loss_rows.h). log π and entropy are sums
// over indices, so that an agent has one ratio, which is clipped once, and the entropy of the whole action is
// differentiated.
#ifndef TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_CLIPPED_POLICY_H_
#define TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_CLIPPED_POLICY_H_

#include <algorithm>
#include <utility>
#include <vector>

#include "learner/arithmetic/objectives/loss_rows.h"
#include "learner/arithmetic/objectives/objective.h"

namespace troupe {

class ClippedPolicyObjective final : public Objective {
 public:
  enum Scalar { kEntropyCoefficient };
  using Figure = PolicyLossSum::Sum;

  // `sizes`: choices of each index, or none: there is one index, of as many choices as the network has outputs.
  explicit ClippedPolicyObjective(double clip, std::vector<int> sizes = {}) : clip_(clip), sizes_(std::move(sizes)) {}

  int64_t FieldsPerRow(int64_t) const override {
    return PolicyRow::kAction + std::max<int64_t>(1, static_cast<int64_t>(sizes_.size()));
  }
  bool has_masks() const override { return true; }
  int num_figures() const override { return PolicyLossSum::kCount; }
  void Rows(const ObjectiveRows& rows, double denominator, const Scalars& scalars, float* gradient,
            Figures* sums) const override;
  at::Tensor Operators(const at::Tensor& outputs, const at::Tensor& masks, const at::Tensor& fields,
                       const at::Tensor& free, const at::Tensor& denominators, const at::Tensor& scalars,
                       at::Tensor* free_gradient, at::Tensor* sums) const override;

 private:
  const double clip_;
  const std::vector<int> sizes_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_CLIPPED_POLICY_H_
