#include "learner/algorithms/modules/losses.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "common/policy_spec.h"
#include "learner/networks/compute_pool.h"

namespace troupe {
namespace {

constexpr int64_t kRowsPerTask = 1024;

// Runs body(row) for all rows on all threads and adds up what each returns, in row order within fixed tasks, so that
// the sum does not depend on the number of threads.
template <size_t kSums, typename Body>
std::array<double, kSums> SumRows(int64_t rows, Body&& body) {
  const int64_t tasks = (rows + kRowsPerTask - 1) / kRowsPerTask;
  std::vector<std::array<double, kSums>> partial(tasks);
  ParallelFor(tasks, [&](int, int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      std::array<double, kSums> sums{};
      for (int64_t row = task * kRowsPerTask; row < std::min(rows, (task + 1) * kRowsPerTask); ++row) body(row, sums);
      partial[task] = sums;
    }
  });
  std::array<double, kSums> total{};
  for (const auto& sums : partial) {
    for (size_t i = 0; i < kSums; ++i) total[i] += sums[i];
  }
  return total;
}

bool Fused(const at::Tensor& tensor) { return tensor.is_cpu() && tensor.scalar_type() == at::kFloat; }

at::Tensor MaskedLogProbabilities(const at::Tensor& logits, const at::Tensor& masks) {
  return at::log_softmax(at::where(masks.to(at::kBool), logits, at::scalar_tensor(kMaskedLogit, logits.options())), -1);
}

at::Tensor Taken(const at::Tensor& log_probabilities, const at::Tensor& rows) {
  const at::Tensor actions = rows.select(-1, PolicyRow::kAction).to(at::kLong).unsqueeze(-1);
  return log_probabilities.gather(-1, actions).squeeze(-1);
}

// One row of the fused policy loss: log-probabilities of `logits` in place of `scratch`, the gradient into `gradient`.
void PolicyLossRow(const float* logits, const uint8_t* mask, const float* row, int64_t actions, float clip,
                   float entropy_coefficient, float scale, float* gradient,
                   std::array<double, PolicyLossResult::kCount>& sums) {
  if (row[PolicyRow::kAlive] == 0.0f) {
    std::fill(gradient, gradient + actions, 0.0f);
    return;
  }
  const auto logit = [&](int64_t j) { return mask[j] != 0 ? logits[j] : kMaskedLogit; };
  float highest = logit(0);
  for (int64_t j = 1; j < actions; ++j) highest = std::max(highest, logit(j));
  float total = 0;
  for (int64_t j = 0; j < actions; ++j) total += gradient[j] = std::exp(logit(j) - highest);
  const float log_total = highest + std::log(total);
  float entropy = 0;
  for (int64_t j = 0; j < actions; ++j) {
    gradient[j] /= total;
    entropy -= gradient[j] * (logit(j) - log_total);
  }
  const auto action = static_cast<int64_t>(row[PolicyRow::kAction]);
  const float advantage = row[PolicyRow::kAdvantage], importance = row[PolicyRow::kImportance];
  const float log_ratio = logit(action) - log_total - row[PolicyRow::kReferenceLogProb];
  const float ratio = std::exp(log_ratio);
  const float plain = ratio * advantage, clipped = std::clamp(ratio, 1.0f - clip, 1.0f + clip) * advantage;
  // A NaN on either side must reach the loss: the comparison is false then, and `plain` or `clipped` carries it.
  const bool inside = std::fabs(ratio - 1.0f) <= clip;
  const float slope = inside || !(clipped < plain) ? -scale * importance * plain : 0.0f;
  for (int64_t j = 0; j < actions; ++j) {
    const float p = gradient[j], log_p = logit(j) - log_total;
    gradient[j] = mask[j] == 0
                      ? 0.0f
                      : slope * ((j == action ? 1.0f : 0.0f) - p) + scale * entropy_coefficient * p * (log_p + entropy);
  }
  sums[PolicyLossResult::kSurrogate] -= importance * (clipped < plain ? clipped : plain);
  sums[PolicyLossResult::kEntropy] += entropy;
  sums[PolicyLossResult::kApproxKl] += (ratio - 1.0f) - log_ratio;
  sums[PolicyLossResult::kClipFraction] += inside ? 0.0 : 1.0;
}

}  // namespace

PolicyLossResult ComputePolicyLoss(const at::Tensor& logits, const at::Tensor& masks, const at::Tensor& rows,
                                   const PolicyLossSettings& settings) {
  if (!Fused(logits)) return ComputePolicyLossReference(logits, masks, rows, settings);
  const at::Tensor input = logits.detach().contiguous(), mask = masks.contiguous(), row = rows.contiguous();
  const int64_t actions = input.size(-1), count = input.numel() / actions;
  PolicyLossResult result{at::empty_like(input), at::empty({PolicyLossResult::kCount}, input.options())};
  const float* z = input.const_data_ptr<float>();
  const uint8_t* m = mask.const_data_ptr<uint8_t>();
  const float* r = row.const_data_ptr<float>();
  float* gradient = result.gradient.data_ptr<float>();
  const auto scale = static_cast<float>(1.0 / settings.denominator);
  const auto sums = SumRows<PolicyLossResult::kCount>(count, [&](int64_t i, auto& sums) {
    PolicyLossRow(z + i * actions, m + i * actions, r + i * PolicyRow::kCount, actions,
                  static_cast<float>(settings.clip), static_cast<float>(settings.entropy_coefficient), scale,
                  gradient + i * actions, sums);
  });
  for (size_t i = 0; i < sums.size(); ++i) {
    result.sums.data_ptr<float>()[i] = static_cast<float>(sums[i] / settings.denominator);
  }
  return result;
}

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

at::Tensor ActionLogProbabilities(const at::Tensor& logits, const at::Tensor& masks, const at::Tensor& rows) {
  const at::NoGradGuard no_gradient;
  return Taken(MaskedLogProbabilities(logits, masks), rows);
}

ValueLossResult ComputeValueLoss(const at::Tensor& values, const at::Tensor& rows, const ValueLossSettings& settings) {
  if (!Fused(values)) return ComputeValueLossReference(values, rows, settings);
  const at::Tensor input = values.detach().contiguous(), row = rows.contiguous();
  ValueLossResult result{at::empty_like(input), at::empty({}, input.options())};
  const float* v = input.const_data_ptr<float>();
  const float* r = row.const_data_ptr<float>();
  float* gradient = result.gradient.data_ptr<float>();
  const auto delta = static_cast<float>(settings.huber_delta), clip = static_cast<float>(settings.clip);
  const auto scale = static_cast<float>(settings.coefficient / settings.denominator);
  const auto loss = [&](float error) {
    const float size = std::fabs(error);
    return settings.huber && size > delta ? delta * (size - 0.5f * delta) : 0.5f * error * error;
  };
  const auto slope = [&](float error) { return settings.huber ? std::clamp(error, -delta, delta) : error; };
  const auto sums = SumRows<1>(input.numel(), [&](int64_t i, auto& sums) {
    const float* fields = r + i * ValueRow::kCount;
    gradient[i] = 0;
    if (fields[ValueRow::kActive] == 0.0f) return;
    const float error = v[i] - fields[ValueRow::kTarget];
    const float change = v[i] - fields[ValueRow::kOldValue];
    const float plain = loss(error);
    const float clipped = loss(error - change + std::clamp(change, -clip, clip));
    const bool by_clipped = settings.clip_value && clipped > plain;
    // Where the clipped loss is the larger one, it is constant in v unless the change is within the clip.
    if (!by_clipped) {
      gradient[i] = scale * slope(error);
    } else if (std::fabs(change) <= clip) {
      gradient[i] = scale * slope(error);
    }
    sums[0] += by_clipped ? clipped : plain;
  });
  *result.loss.data_ptr<float>() = static_cast<float>(sums[0] / settings.denominator);
  return result;
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
