// What a policy may do, from the definitions in common/specs/distribution_spec.h in double precision, to hold the
// worker's distributions to.
#ifndef TROUPE_TESTS_ACTOR_WORKER_REFERENCE_DISTRIBUTION_H_
#define TROUPE_TESTS_ACTOR_WORKER_REFERENCE_DISTRIBUTION_H_

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "common/specs/policy_spec.h"
#include "tests/actor_worker/inference_reference.h"

namespace troupe {

// Multi-discrete actions have two dimensions, the second of two choices.
inline PolicySpec WithDistribution(PolicySpec spec, DistributionSpec distribution) {
  spec.distribution = distribution;
  spec.action_kind = TraitsOf(distribution.kind).action_kind;
  if (spec.action_kind == ActionKind::kMultiDiscrete) spec.action_sizes = {spec.action_size - 2, 2};
  spec.stack.output_size = distribution.NumOutputs(spec.action_size);
  return spec;
}

// Every kind, Gaussians with both kinds of deviations.
inline std::vector<DistributionSpec> EveryDistribution() {
  std::vector<DistributionSpec> all;
  for (const DistributionTraits& traits : AllDistributions()) {
    all.push_back({traits.kind, false});
    if (all.back().is_gaussian()) all.push_back({traits.kind, true});
  }
  return all;
}

// π of each action under the categorical distribution, or under ε-greedy.
inline std::vector<double> ReferenceProbabilities(DistributionKind kind, const std::vector<double>& outputs,
                                                  const uint8_t* mask, double epsilon) {
  const size_t n = outputs.size();
  std::vector<double> probabilities(n);
  if (kind == DistributionKind::kCategorical) {
    double sum = 0;
    for (size_t i = 0; i < n; ++i) sum += probabilities[i] = mask[i] ? std::exp(outputs[i]) : 0;
    for (double& p : probabilities) p /= sum;
    return probabilities;
  }
  const double allowed = double(std::count(mask, mask + n, 1));
  size_t best = n;
  for (size_t i = 0; i < n; ++i) {
    if (!mask[i]) continue;
    probabilities[i] = epsilon / allowed;
    if (best == n || outputs[i] > outputs[best]) best = i;
  }
  probabilities[best] += 1 - epsilon;
  return probabilities;
}

// Means and deviations of one agent's Gaussian, or of its noisy deterministic actions.
struct ReferenceGaussian {
  std::vector<double> means, deviations;

  ReferenceGaussian(const PolicySpec& spec, const std::vector<HostTensor>& tensors, int agent,
                    const std::vector<double>& outputs, double noise_scale, double action_noise = 0) {
    const int n = spec.action_size;
    for (int i = 0; i < n; ++i) {
      if (spec.distribution.kind == DistributionKind::kDeterministic) {
        means.push_back(std::tanh(outputs[i]));
        deviations.push_back(action_noise);
        continue;
      }
      const double log_std =
          spec.distribution.has_log_std() ? tensors.back().floats()[spec.set_of_agent[agent] * n + i] : outputs[n + i];
      means.push_back(outputs[i]);
      deviations.push_back(noise_scale * std::exp(std::clamp(log_std, -20.0, 2.0)));
    }
  }
  double LogProbability(const float* sampled, bool squashed) const {
    double sum = 0;
    for (size_t i = 0; i < means.size(); ++i) {
      const double z = (sampled[i] - means[i]) / deviations[i];
      sum += -z * z / 2 - std::log(deviations[i] * std::sqrt(2 * std::numbers::pi));
      if (squashed) sum += 2 * std::log(std::cosh(double{sampled[i]}));  // 1 − tanh² = 1 / cosh²
    }
    return sum;
  }
};

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTOR_WORKER_REFERENCE_DISTRIBUTION_H_
