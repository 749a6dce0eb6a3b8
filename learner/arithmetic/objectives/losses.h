// The policy and the value loss of PPO by definition, in LibTorch's operators and differentiated by autograd, for any
// device and floating dtype: what the losses that training calls (loss_rows.h, device_losses.h) are held to. A test
// holds these to finite differences.
#ifndef TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_LOSSES_H_
#define TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_LOSSES_H_

#include "learner/arithmetic/objectives/loss_rows.h"
#include "learner/torch/torch_headers.h"

namespace troupe {

struct PolicyLossResult {
  using enum PolicyLossSum::Sum;
  at::Tensor gradient;  // like logits
  at::Tensor sums;      // [kCount], each over the living rows and divided by the denominator
};

// loss = Σ_rows alive · (importance · −min(ratio · A, clip(ratio, 1 ± ε) · A) − coefficient · entropy) / denominator
// (arXiv:1707.06347, equation 7; decoupled: arXiv:2110.00641, equation 6). approx_kl is (ratio − 1) − log ratio.
// logits [rows, actions]; masks [rows, actions] uint8, 1 = allowed; rows as PolicyRow.
PolicyLossResult ComputePolicyLossReference(const at::Tensor& logits, const at::Tensor& masks, const at::Tensor& rows,
                                            const PolicyLossSettings& settings);

struct ValueLossResult {
  at::Tensor gradient;  // like values
  at::Tensor loss;      // [], without the coefficient
};

// loss = coefficient · Σ_rows active · max(l(target − v), l(target − clipped v)) / denominator, where clipped v keeps
// within ± clip of the old value, and l is Huber's or half the square (arXiv:2103.01955, appendix). values [rows].
ValueLossResult ComputeValueLossReference(const at::Tensor& values, const at::Tensor& rows,
                                          const ValueLossSettings& settings);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_OBJECTIVES_LOSSES_H_
