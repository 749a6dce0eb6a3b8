#include "learner/arithmetic/objectives/losses.h"

#include "common/specs/policy_spec.h"

namespace troupe {
namespace {

at::Tensor MaskedLogProbabilities(const at::Tensor& logits, const at::Tensor& masks) {
  return at::log_softmax(at::where(masks.to(at::kBool), logits, at::scalar_tensor(kMaskedLogit, logits.options())), -1);
}

at::Tensor Taken(const at::Tensor& log_probabilities, const at::Tensor& rows) {
  const at::Tensor actions = rows.select(-1, PolicyRow::kAction).to(at::kLong).unsqueeze(-1);
  return log_probabilities.gather(-1, actions).squeeze(-1);
}

}  // namespace

PolicyLossResult ComputePolicyLossReference(const at::Tensor& logits, const at::Tensor& masks, const at::Tensor& rows,
                                            const PolicyLossSettings& settings) {
  const at::AutoGradMode with_gradient(true);
  const at::Tensor leaf = logits.detach().requires_grad_(true);
  const at::Tensor log_probabilities = MaskedLogProbabilities(leaf, masks);
  const at::Tensor alive = rows.select(-1, PolicyRow::kAlive), advantage = rows.select(-1, PolicyRow::kAdvantage);
  const at::Tensor difference = Taken(log_probabilities, rows) - rows.select(-1, PolicyRow::kReferenceLogProb);
  const at::Tensor log_ratio = at::where(alive != 0, difference, at::zeros_like(difference));
  const at::Tensor ratio = log_ratio.exp();
  const at::Tensor clipped = at::clamp(ratio, 1.0 - settings.clip, 1.0 + settings.clip);
  const at::Tensor importance = rows.select(-1, PolicyRow::kImportance);
  const auto mean = [&](const at::Tensor& x) {
    return at::where(alive != 0, x, at::zeros_like(x)).sum() / settings.denominator;
  };
  const at::Tensor surrogate = mean(-importance * at::minimum(ratio * advantage, clipped * advantage));
  const at::Tensor entropy = mean(-(log_probabilities.exp() * log_probabilities).sum(-1));
  const at::Tensor loss = surrogate - settings.entropy_coefficient * entropy;
  const at::Tensor gradient = torch::autograd::grad({loss}, {leaf})[0];
  const at::NoGradGuard no_gradient;
  const at::Tensor outside = ((ratio - 1.0).abs() > settings.clip).to(ratio.scalar_type());
  return {gradient,
          at::stack({surrogate.detach(), entropy.detach(), mean(ratio - 1.0 - log_ratio), mean(outside)}).detach()};
}

ValueLossResult ComputeValueLossReference(const at::Tensor& values, const at::Tensor& rows,
                                          const ValueLossSettings& settings) {
  const at::AutoGradMode with_gradient(true);
  const at::Tensor leaf = values.detach().requires_grad_(true);
  const at::Tensor target = rows.select(-1, ValueRow::kTarget), old_value = rows.select(-1, ValueRow::kOldValue);
  const at::Tensor active = rows.select(-1, ValueRow::kActive);
  const auto loss_of = [&](const at::Tensor& prediction) {
    return settings.huber ? at::huber_loss(prediction, target, at::Reduction::None, settings.huber_delta)
                          : 0.5 * (prediction - target).square();
  };
  at::Tensor loss = loss_of(leaf);
  if (settings.clip_value) {
    loss = at::maximum(loss, loss_of(old_value + at::clamp(leaf - old_value, -settings.clip, settings.clip)));
  }
  loss = at::where(active != 0, loss, at::zeros_like(loss)).sum() / settings.denominator;
  const at::Tensor gradient = torch::autograd::grad({loss * settings.coefficient}, {leaf})[0];
  return {gradient, loss.detach()};
}

}  // namespace troupe
