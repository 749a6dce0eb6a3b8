#include "learner/arithmetic/objectives/clipped_value.h"

#include "learner/arithmetic/objectives/device_losses.h"

namespace troupe {

void ClippedValueObjective::Rows(const ObjectiveRows& rows, double denominator, const Scalars&, float* gradient,
                                 Figures* sums) const {
  ValueLossSettings settings = settings_;
  settings.denominator = denominator;
  ValueLossRows(rows.outputs, rows.fields, rows.index, rows.rows, rows.width, settings, gradient, &(*sums)[kLoss]);
}

at::Tensor ClippedValueObjective::Operators(const at::Tensor& outputs, const at::Tensor&, const at::Tensor& fields,
                                            const at::Tensor&, const at::Tensor& denominators, const at::Tensor&,
                                            at::Tensor*, at::Tensor* sums) const {
  const DeviceLoss loss = ComputeValueLossOnDevice(outputs, fields, settings_, denominators);
  *sums = loss.sums;
  return loss.gradient;
}

}  // namespace troupe
