#include "learner/arithmetic/objectives/clipped_policy.h"

#include "learner/arithmetic/objectives/device_losses.h"

namespace troupe {

void ClippedPolicyObjective::Rows(const ObjectiveRows& rows, double denominator, const Scalars& scalars,
                                  float* gradient, Figures* sums) const {
  static_assert(kMaxFigures == PolicyLossSum::kCount);
  PolicyLossRows(rows.outputs, rows.masks, rows.fields, rows.index, rows.rows, rows.width,
                 {.clip = clip_, .entropy_coefficient = scalars[kEntropyCoefficient], .denominator = denominator},
                 gradient, sums);
}

at::Tensor ClippedPolicyObjective::Operators(const at::Tensor& outputs, const at::Tensor& masks,
                                             const at::Tensor& fields, const at::Tensor& denominators,
                                             const at::Tensor& scalars, at::Tensor* sums) const {
  const DeviceLoss loss = ComputePolicyLossOnDevice(outputs, masks, fields, {.clip = clip_},
                                                    scalars.select(0, kEntropyCoefficient), denominators);
  *sums = loss.sums;
  return loss.gradient;
}

}  // namespace troupe
