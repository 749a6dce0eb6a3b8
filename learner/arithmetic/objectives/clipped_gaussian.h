// PPO's clipped surrogate with an entropy bonus (as clipped_policy.h) for Gaussian policies, whose formulas stand in
// common/specs/distribution_spec.h: outputs are means, and log σ too where the state decides, else the free parameters
// are log σ; a row's fields are GaussianRow's (gaussian_rows.h). log σ outside its bounds counts as the bound and does
// not move.
//
// The entropy of a Gaussian is Σ ½ log 2πe + log σ. That of a squashed one is less by what tanh presses together,
// E log(1 − tanh²(u)) with u ~ N(μ, σ²) in each dimension, which has no closed form. The field takes it at one sample
// of u; here it is an integral over sixteen nodes of Gauss and Hermite (of log 1 / cosh² as a function of μ and σ),
// right to 1e-4 for σ ≤ 1 and to 3 % at the largest. So it has no variance, its gradient is that of the number
// reported, and it does not matter who drew the samples, how long ago, or with which noise scale.
#ifndef TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_CLIPPED_GAUSSIAN_H_
#define TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_CLIPPED_GAUSSIAN_H_

#include "learner/arithmetic/objectives/gaussian_rows.h"
#include "learner/arithmetic/objectives/objective.h"

namespace troupe {

class ClippedGaussianObjective final : public Objective {
 public:
  enum Scalar { kEntropyCoefficient };

  // `size` dimensions of action; the network has distribution.NumOutputs(size) outputs and, where the distribution has
  // log_std, `size` free parameters.
  ClippedGaussianObjective(const DistributionSpec& distribution, int64_t size, double clip)
      : distribution_(distribution), size_(size), clip_(clip) {}

  int64_t FieldsPerRow(int64_t) const override { return GaussianRow::kSample + size_; }
  bool has_masks() const override { return false; }
  int num_figures() const override { return GaussianLossSum::kCount; }
  void Rows(const ObjectiveRows& rows, double denominator, const Scalars& scalars, float* gradient,
            Figures* sums) const override;
  at::Tensor Operators(const at::Tensor& outputs, const at::Tensor& masks, const at::Tensor& fields,
                       const at::Tensor& free, const at::Tensor& denominators, const at::Tensor& scalars,
                       at::Tensor* free_gradient, at::Tensor* sums) const override;

 private:
  const DistributionSpec distribution_;
  const int64_t size_;
  const double clip_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_CLIPPED_GAUSSIAN_H_
