// The losses of losses.h with their gradients in closed form, out of LibTorch's operators and without autograd. What
// changes from one gradient step to the next comes in device tensors, so that a recorded sequence of operators serves
// for all of them. Tests hold them to the references of losses.h. Any device, float32.
#ifndef TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_DEVICE_LOSSES_H_
#define TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_DEVICE_LOSSES_H_

#include "learner/arithmetic/objectives/losses.h"

namespace troupe {

// logits [sets, rows, actions], masks [sets, rows, actions] uint8, rows [sets, rows, PolicyRow::kCount].
// `action_numbers` [actions] float32 holds 0, 1, …; entropy_coefficient and denominator are scalars []. Of `settings`
// the clip alone is used.
PolicyLossResult ComputePolicyLossOnDevice(const at::Tensor& logits, const at::Tensor& masks, const at::Tensor& rows,
                                           const at::Tensor& action_numbers, const PolicyLossSettings& settings,
                                           const at::Tensor& entropy_coefficient, const at::Tensor& denominator);

// values [rows], rows [rows, ValueRow::kCount]. The denominator of `settings` is not used.
ValueLossResult ComputeValueLossOnDevice(const at::Tensor& values, const at::Tensor& rows,
                                         const ValueLossSettings& settings, const at::Tensor& denominator);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_DEVICE_LOSSES_H_
