#include "learner/arithmetic/objectives/clipped_gaussian.h"

#include "learner/arithmetic/objectives/device_losses.h"

namespace troupe {

void ClippedGaussianObjective::Rows(const ObjectiveRows& rows, double denominator, const Scalars& scalars,
                                    float* gradient, Figures* sums) const {
  static_assert(kMaxFigures == GaussianLossSum::kCount);
  GaussianLossRows(distribution_, size_, rows,
                   {.clip = clip_, .entropy_coefficient = scalars[kEntropyCoefficient], .denominator = denominator},
                   gradient, sums);
}

at::Tensor ClippedGaussianObjective::Operators(const at::Tensor& outputs, const at::Tensor&, const at::Tensor& fields,
                                               const at::Tensor& free, const at::Tensor& denominators,
                                               const at::Tensor& scalars, at::Tensor* free_gradient,
                                               at::Tensor* sums) const {
  const at::Tensor mean = outputs.narrow(-1, 0, size_);
  const at::Tensor log_std = free.defined() ? free.unsqueeze(1).expand_as(mean) : outputs.narrow(-1, size_, size_);
  const GaussianDeviceLoss loss =
      ComputeGaussianLossOnDevice(mean, log_std, fields, distribution_.kind == DistributionKind::kSquashedGaussian,
                                  clip_, scalars.select(0, kEntropyCoefficient), denominators);
  *sums = loss.sums;
  if (!free.defined()) return at::cat({loss.mean_gradient, loss.log_std_gradient}, -1);
  *free_gradient = loss.log_std_gradient.sum(1);
  return loss.mean_gradient;
}

}  // namespace troupe
