#include "learner/arithmetic/objectives/device_losses.h"

#include "common/specs/policy_spec.h"

namespace troupe {

DeviceLoss ComputePolicyLossOnDevice(const at::Tensor& logits, const at::Tensor& masks, const at::Tensor& rows,
                                     const PolicyLossSettings& settings, const at::Tensor& entropy_coefficient,
                                     const at::Tensor& denominators) {
  const at::NoGradGuard no_gradient;
  const at::Tensor action_numbers = at::arange(logits.size(-1), logits.options());
  const at::Tensor denominator = denominators.unsqueeze(-1);  // [sets, 1], against [sets, rows]
  const at::Tensor log_p = at::log_softmax(logits.masked_fill(masks == 0, kMaskedLogit), -1), p = log_p.exp();
  const at::Tensor is_taken = rows.select(-1, PolicyRow::kAction).unsqueeze(-1) == action_numbers;
  const at::Tensor dead = rows.select(-1, PolicyRow::kAlive) == 0;
  const at::Tensor advantage = rows.select(-1, PolicyRow::kAdvantage);
  const at::Tensor importance = rows.select(-1, PolicyRow::kImportance);
  const at::Tensor taken = log_p.masked_fill(is_taken.logical_not(), 0).sum(-1);
  const at::Tensor log_ratio = (taken - rows.select(-1, PolicyRow::kReferenceLogProb)).masked_fill(dead, 0);
  const at::Tensor ratio = log_ratio.exp();
  const at::Tensor plain = ratio * advantage;
  const at::Tensor clipped = ratio.clamp(1.0 - settings.clip, 1.0 + settings.clip) * advantage;
  const at::Tensor entropy = -(p * log_p).sum(-1);

  // d loss / d log π(taken), then through the softmax; of the entropy, d H / d logit_j = −p_j (log p_j + H).
  const at::Tensor slope =
      (importance * plain).masked_fill((plain > clipped).logical_or(dead), 0).neg().div(denominator).unsqueeze(-1);
  const at::Tensor weight = (entropy_coefficient / denominator).expand_as(dead).masked_fill(dead, 0).unsqueeze(-1);
  const at::Tensor gradient = slope * (is_taken.to(at::kFloat) - p) + weight * p * (log_p + entropy.unsqueeze(-1));

  const at::Tensor surrogate = -importance * at::minimum(plain, clipped);
  const at::Tensor outside = ((ratio - 1.0).abs() > settings.clip).to(at::kFloat);
  const at::Tensor figures = at::stack({surrogate, entropy, ratio - 1.0 - log_ratio, outside});
  const at::Tensor sums = figures.masked_fill(dead, 0).sum(-1) / denominators;
  return {gradient, sums.t()};
}

DeviceLoss ComputeValueLossOnDevice(const at::Tensor& values, const at::Tensor& fields,
                                    const ValueLossSettings& settings, const at::Tensor& denominators) {
  const at::NoGradGuard no_gradient;
  const at::Tensor rows = fields.view({values.size(0), values.size(1), values.size(2), ValueRow::kCount});
  const at::Tensor denominator = denominators.view({-1, 1, 1});
  const at::Tensor target = rows.select(-1, ValueRow::kTarget), old_value = rows.select(-1, ValueRow::kOldValue);
  const at::Tensor inactive = rows.select(-1, ValueRow::kActive) == 0;
  const auto loss_of = [&](const at::Tensor& prediction) {
    return settings.huber ? at::huber_loss(prediction, target, at::Reduction::None, settings.huber_delta)
                          : 0.5 * (prediction - target).square();
  };
  at::Tensor slope = values - target;
  if (settings.huber) slope = slope.clamp(-settings.huber_delta, settings.huber_delta);
  at::Tensor loss = loss_of(values), still = inactive;
  if (settings.clip_value) {
    const at::Tensor change = values - old_value;
    const at::Tensor clipped = loss_of(old_value + change.clamp(-settings.clip, settings.clip));
    still = still.logical_or((change.abs() > settings.clip).logical_and(clipped >= loss));
    loss = at::maximum(loss, clipped);
  }
  const at::Tensor gradient = (slope * settings.coefficient).masked_fill(still, 0) / denominator;
  return {gradient, (loss.masked_fill(inactive, 0).flatten(1).sum(1) / denominators).unsqueeze(1)};
}

}  // namespace troupe
