#include "learner/arithmetic/objectives/device_losses.h"

#include <cmath>
#include <vector>

#include "common/specs/policy_spec.h"

namespace troupe {
namespace {

// PPO's clipped surrogate of log π [sets, rows]; the rest as the rows' fields, [sets, rows].
struct DeviceSurrogate {
  at::Tensor dead;                           // whether rows do not count
  at::Tensor slope;                          // [sets, rows, 1]: d loss / d log π, divided by the denominator
  at::Tensor surrogate, approx_kl, outside;  // what rows contribute to the figures
};

DeviceSurrogate ClippedSurrogateOnDevice(const at::Tensor& log_probability, const at::Tensor& reference,
                                         const at::Tensor& importance, const at::Tensor& advantage,
                                         const at::Tensor& alive, double clip, const at::Tensor& denominator) {
  const at::Tensor dead = alive == 0;
  const at::Tensor log_ratio = (log_probability - reference).masked_fill(dead, 0);
  const at::Tensor ratio = log_ratio.exp();
  const at::Tensor plain = ratio * advantage;
  const at::Tensor clipped = ratio.clamp(1.0 - clip, 1.0 + clip) * advantage;
  const at::Tensor slope =
      (importance * plain).masked_fill((plain > clipped).logical_or(dead), 0).neg().div(denominator).unsqueeze(-1);
  return {dead, slope, -importance * at::minimum(plain, clipped), ratio - 1.0 - log_ratio,
          ((ratio - 1.0).abs() > clip).to(at::kFloat)};
}

// One index of an action, of all rows.
struct DeviceIndex {
  at::Tensor p, log_p;  // [sets, rows, choices]
  at::Tensor is_taken;  // the same: which choice was
  at::Tensor taken;     // [sets, rows]: log π of it
  at::Tensor entropy;   // [sets, rows]
};

DeviceIndex SoftmaxOnDevice(const at::Tensor& logits, const at::Tensor& masks, const at::Tensor& action) {
  DeviceIndex of;
  of.log_p = at::log_softmax(logits.masked_fill(masks == 0, kMaskedLogit), -1);
  of.p = of.log_p.exp();
  of.is_taken = action.unsqueeze(-1) == at::arange(logits.size(-1), logits.options());
  of.taken = of.log_p.masked_fill(of.is_taken.logical_not(), 0).sum(-1);
  of.entropy = -(of.p * of.log_p).sum(-1);
  return of;
}

// log(1 − tanh²(u)).
at::Tensor LogSquashSlopeOf(const at::Tensor& u) {
  const at::Tensor size = u.abs();
  return ((-2.0 * size).exp().log1p() + size - M_LN2) * -2.0;
}

}  // namespace

DeviceLoss ComputePolicyLossOnDevice(const at::Tensor& logits, const at::Tensor& masks, const at::Tensor& rows,
                                     const PolicyLossSettings& settings, const at::Tensor& entropy_coefficient,
                                     const at::Tensor& denominators, absl::Span<const int> sizes) {
  const at::NoGradGuard no_gradient;
  const at::Tensor denominator = denominators.unsqueeze(-1);  // [sets, 1], against [sets, rows]
  std::vector<DeviceIndex> indices;
  if (sizes.empty()) indices.push_back(SoftmaxOnDevice(logits, masks, rows.select(-1, PolicyRow::kAction)));
  int64_t first = 0;
  for (size_t i = 0; i < sizes.size(); first += sizes[i++]) {
    indices.push_back(SoftmaxOnDevice(logits.narrow(-1, first, sizes[i]), masks.narrow(-1, first, sizes[i]),
                                      rows.select(-1, PolicyRow::kAction + static_cast<int64_t>(i))));
  }
  at::Tensor taken = indices[0].taken, entropy = indices[0].entropy;
  for (size_t i = 1; i < indices.size(); ++i) {
    taken = taken + indices[i].taken;
    entropy = entropy + indices[i].entropy;
  }
  const DeviceSurrogate of = ClippedSurrogateOnDevice(
      taken, rows.select(-1, PolicyRow::kReferenceLogProb), rows.select(-1, PolicyRow::kImportance),
      rows.select(-1, PolicyRow::kAdvantage), rows.select(-1, PolicyRow::kAlive), settings.clip, denominator);

  // d loss / d log π(taken), then through the softmax; of the entropy, d H / d logit_j = −p_j (log p_j + H).
  const at::Tensor weight =
      (entropy_coefficient / denominator).expand_as(of.dead).masked_fill(of.dead, 0).unsqueeze(-1);
  std::vector<at::Tensor> gradients;
  for (const DeviceIndex& own : indices) {
    gradients.push_back(of.slope * (own.is_taken.to(at::kFloat) - own.p) +
                        weight * own.p * (own.log_p + own.entropy.unsqueeze(-1)));
  }
  const at::Tensor gradient = gradients.size() == 1 ? gradients[0] : at::cat(gradients, -1);

  const at::Tensor figures = at::stack({of.surrogate, entropy, of.approx_kl, of.outside});
  const at::Tensor sums = figures.masked_fill(of.dead, 0).sum(-1) / denominators;
  return {gradient, sums.t()};
}

GaussianDeviceLoss ComputeGaussianLossOnDevice(const at::Tensor& mean, const at::Tensor& log_std,
                                               const at::Tensor& rows, bool squashes, double clip,
                                               const at::Tensor& entropy_coefficient, const at::Tensor& denominators) {
  const at::NoGradGuard no_gradient;
  const double half_log_two_pi = 0.5 * std::log(2 * M_PI);
  const at::Tensor denominator = denominators.unsqueeze(-1);
  const at::Tensor held = log_std.clamp(kMinLogStd, kMaxLogStd), deviation = held.exp(), reciprocal = held.neg().exp();
  const at::Tensor sample = rows.narrow(-1, GaussianRow::kSample, mean.size(-1));
  const at::Tensor distance = (sample - mean) * reciprocal;
  const at::Tensor log_density = -(0.5 * distance.square() + held + half_log_two_pi).sum(-1);
  const DeviceSurrogate of = ClippedSurrogateOnDevice(
      log_density, rows.select(-1, GaussianRow::kReferenceLogDensity), rows.select(-1, GaussianRow::kImportance),
      rows.select(-1, GaussianRow::kAdvantage), rows.select(-1, GaussianRow::kAlive), clip, denominator);

  // The entropy's derivatives; where it is squashed, an expectation by quadrature.
  at::Tensor entropy = held + (half_log_two_pi + 0.5), by_mean = at::zeros_like(mean), by_std = at::ones_like(mean);
  for (size_t i = 0; squashes && i < 2 * kNormalNodes.size(); ++i) {
    const double node = (i % 2 == 0 ? 1 : -1) * kNormalNodes[i / 2].node, weight = kNormalNodes[i / 2].weight;
    const at::Tensor u = mean + deviation * node, slope = u.tanh() * (-2 * weight);
    entropy.add_(LogSquashSlopeOf(u), weight);
    by_mean.add_(slope);
    by_std.addcmul_(slope, deviation, node);
  }
  entropy = entropy.sum(-1);

  const at::Tensor weight =
      (entropy_coefficient / denominator).expand_as(of.dead).masked_fill(of.dead, 0).unsqueeze(-1);
  const at::Tensor dead = of.dead.unsqueeze(-1), still = dead.logical_or(log_std != held);
  const at::Tensor mean_gradient = (of.slope * distance * reciprocal - weight * by_mean).masked_fill(dead, 0);
  const at::Tensor std_gradient = (of.slope * (distance.square() - 1.0) - weight * by_std).masked_fill(still, 0);

  const at::Tensor figures = at::stack({of.surrogate, entropy, of.approx_kl, of.outside, deviation.mean(-1)});
  const at::Tensor sums = figures.masked_fill(of.dead, 0).sum(-1) / denominators;
  return {mean_gradient, std_gradient, sums.t()};
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
