// How the outputs of an actor's network become an action, as data. The worker acts by it (acting/distribution.h), a
// learner computes probabilities by it; every rule that both must share stands here.
//
// Of one agent, N = action_size, ε, c and s the scalars "epsilon", "noise_scale" (default 1) and "action_noise"
// (default 0) of the policy version:
//   categorical        outputs [N] are logits; disallowed ones count as kMaskedLogit. π = softmax.
//   epsilon_greedy     outputs [N] are values q. The best allowed action (lowest index of equals), with probability ε
//                      any of the K allowed: π(a) = ε / K + (1 − ε) · [a is the best].
//   multi_categorical  outputs [N] are logits, those of the D dimensions side by side; in each of them as categorical,
//                      independently: π(a) = Π π_d(a_d), log π and entropy are sums over dimensions.
//   gaussian           outputs [N] are means μ; σ = exp(log σ) of the parameter log_std [sets, N], or, with
//                      state_dependent_std, of outputs N … 2N − 1; log σ within [kMinLogStd, kMaxLogStd].
//                      u ~ N(μ, (c σ)²) in each dimension; what is done is u clipped to [-1, 1].
//   squashed_gaussian  u as above; what is done is a = tanh(u), and the density is that of a:
//                      log π = log N(u) − Σ log(1 − tanh²(u))   (arXiv:1801.01290, appendix C).
//   deterministic      outputs [N] are y; u ~ N(tanh(y), s²) in each dimension; what is done is u clipped to [-1, 1].
//                      Where s = 0 nothing is left to chance, and log π counts as 0. With k, the scalar
//                      "action_noise_correlation" (default 0), u ~ N(tanh(y) + s k x, s² (1 − k²)), where x is 0 at an
//                      episode's beginning and then k x plus the new noise over s: an Ornstein-Uhlenbeck process.
// What is recorded of the last three is u, of which the density can be computed again without loss. The mode is μ, or
// tanh(y). The environment is given what is done in its own units (ActionBounds of environment_spec.h).
#ifndef TROUPE_COMMON_SPECS_DISTRIBUTION_SPEC_H_
#define TROUPE_COMMON_SPECS_DISTRIBUTION_SPEC_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "common/specs/environment_spec.h"
#include "proto/experiment.pb.h"

namespace troupe {

inline constexpr double kMinLogStd = -20;
inline constexpr double kMaxLogStd = 2;

enum class DistributionKind {
  kCategorical,
  kEpsilonGreedy,
  kGaussian,
  kSquashedGaussian,
  kMultiCategorical,
  kDeterministic
};

// A kind's row in the table of all.
struct DistributionTraits {
  DistributionKind kind;
  ActionDistribution setting;  // policy.distribution
  std::string_view name;       // in exported policy specs and for people
  ActionKind action_kind;      // what it can act on
};
absl::Span<const DistributionTraits> AllDistributions();
const DistributionTraits& TraitsOf(DistributionKind kind);
// Null when none has this name.
const DistributionTraits* FindDistribution(std::string_view name);
// Of a group whose experiment says nothing about it.
DistributionKind DefaultDistribution(ActionKind action_kind);

// log(1 − tanh²(u)), exact also where tanh is one but for rounding: 2 · (log 2 − |u| − log(1 + e^(−2|u|))).
double LogSquashSlope(double u);

struct DistributionSpec {
  DistributionKind kind = DistributionKind::kCategorical;
  bool state_dependent_std = false;  // Gaussian kinds only
  float initial_log_std = 0;         // of the parameter log_std, where there is one

  bool is_gaussian() const {
    return kind == DistributionKind::kGaussian || kind == DistributionKind::kSquashedGaussian;
  }
  // Whether the policy has the parameter log_std.
  bool has_log_std() const { return is_gaussian() && !state_dependent_std; }
  // Outputs of the network for `action_size`.
  int NumOutputs(int action_size) const { return is_gaussian() && state_dependent_std ? 2 * action_size : action_size; }
  bool operator==(const DistributionSpec&) const = default;
};

// "gaussian, deviations by state".
std::string Describe(const DistributionSpec& distribution);

}  // namespace troupe

#endif  // TROUPE_COMMON_SPECS_DISTRIBUTION_SPEC_H_
