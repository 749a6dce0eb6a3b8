#include "learner/arithmetic/objectives/losses.h"

#include <algorithm>
#include <array>
#include <vector>

#include "common/specs/policy_spec.h"
#include "learner/arithmetic/host/compute_pool.h"

namespace troupe {
namespace {

constexpr int64_t kRowsPerTask = 1024;

// Runs body(first, rows, sums) for parts of the rows on all threads and adds up the sums in order; parts are fixed, so
// that the sums do not depend on the number of threads.
template <size_t kSums, typename Body>
std::array<double, kSums> SumRows(int64_t rows, Body&& body) {
  const int64_t tasks = (rows + kRowsPerTask - 1) / kRowsPerTask;
  std::vector<std::array<double, kSums>> partial(tasks);
  ParallelFor(tasks, [&](int, int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = task * kRowsPerTask;
      body(first, std::min(kRowsPerTask, rows - first), &partial[task]);
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
  const auto sums = SumRows<PolicyLossResult::kCount>(count, [&](int64_t first, int64_t part, PolicyLossSums* into) {
    PolicyLossRows(z + first * actions, m + first * actions, r + first * PolicyRow::kCount, nullptr, part, actions,
                   settings, gradient + first * actions, into);
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
  const auto sums = SumRows<1>(input.numel(), [&](int64_t first, int64_t part, std::array<double, 1>* into) {
    ValueLossRows(v + first, r + first * ValueRow::kCount, nullptr, part, 1, settings, gradient + first, into->data());
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
