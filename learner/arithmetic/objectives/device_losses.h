// PPO's losses with their gradients in closed form, out of LibTorch's operators and without autograd. What changes from
// one gradient step to the next comes in device tensors, so that a recorded sequence of operators serves for all of
// them. Tests hold them to the references of losses.h. Any device, float32.
#ifndef TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_DEVICE_LOSSES_H_
#define TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_DEVICE_LOSSES_H_

#include "learner/arithmetic/objectives/gaussian_rows.h"
#include "learner/arithmetic/objectives/loss_rows.h"
#include "learner/torch/torch_headers.h"

namespace troupe {

struct DeviceLoss {
  at::Tensor gradient;  // like the outputs
  at::Tensor sums;      // [sets, figures], each over the set's rows that take part, divided by its denominator
};

// logits [sets, rows, actions], masks [sets, rows, actions] uint8, rows [sets, rows, PolicyRow::kAction + indices],
// entropy_coefficient [], denominators [sets]. Of `settings` the clip alone is used. `sizes`: as PolicyLossRows; none:
// one index. Figures: PolicyLossSum.
DeviceLoss ComputePolicyLossOnDevice(const at::Tensor& logits, const at::Tensor& masks, const at::Tensor& rows,
                                     const PolicyLossSettings& settings, const at::Tensor& entropy_coefficient,
                                     const at::Tensor& denominators, absl::Span<const int> sizes = {});

struct GaussianDeviceLoss {
  at::Tensor mean_gradient, log_std_gradient;  // [sets, rows, size]
  at::Tensor sums;                             // as DeviceLoss
};

// mean and log_std [sets, rows, size], rows [sets, rows, GaussianRow::kSample + size], the rest as above. Figures:
// PolicyLossSum, GaussianLossSum.
GaussianDeviceLoss ComputeGaussianLossOnDevice(const at::Tensor& mean, const at::Tensor& log_std,
                                               const at::Tensor& rows, bool squashes, double clip,
                                               const at::Tensor& entropy_coefficient, const at::Tensor& denominators);

// values [sets, rows, width], fields [sets, rows, width · ValueRow::kCount]. The denominator of `settings` is not used.
// Figures: the loss without its coefficient.
DeviceLoss ComputeValueLossOnDevice(const at::Tensor& values, const at::Tensor& fields,
                                    const ValueLossSettings& settings, const at::Tensor& denominators);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_DEVICE_LOSSES_H_
