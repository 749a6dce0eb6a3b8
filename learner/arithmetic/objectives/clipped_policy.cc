#include "learner/arithmetic/objectives/clipped_policy.h"

#include <algorithm>

#include "learner/arithmetic/objectives/device_losses.h"

namespace troupe {

void ClippedPolicyObjective::Rows(const ObjectiveRows& rows, double denominator, const Scalars& scalars,
                                  float* gradient, Figures* sums) const {
  PolicyLossSums own;
  std::copy_n(sums->begin(), own.size(), own.begin());
  const int all[] = {static_cast<int>(rows.width)};
  PolicyLossRows(rows.outputs, rows.masks, rows.fields, rows.index, rows.rows,
                 sizes_.empty() ? absl::MakeConstSpan(all) : absl::MakeConstSpan(sizes_),
                 {.clip = clip_, .entropy_coefficient = scalars[kEntropyCoefficient], .denominator = denominator},
                 gradient, &own);
  std::copy(own.begin(), own.end(), sums->begin());
}

at::Tensor ClippedPolicyObjective::Operators(const at::Tensor& outputs, const at::Tensor& masks,
                                             const at::Tensor& fields, const at::Tensor&,
                                             const at::Tensor& denominators, const at::Tensor& scalars, at::Tensor*,
                                             at::Tensor* sums) const {
  const DeviceLoss loss = ComputePolicyLossOnDevice(outputs, masks, fields, {.clip = clip_},
                                                    scalars.select(0, kEntropyCoefficient), denominators, sizes_);
  *sums = loss.sums;
  return loss.gradient;
}

}  // namespace troupe
