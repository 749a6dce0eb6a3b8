#include "learner/algorithms/modules/policy_objective.h"

#include "learner/arithmetic/objectives/clipped_gaussian.h"
#include "learner/arithmetic/objectives/clipped_policy.h"

namespace troupe {

static_assert(int{ClippedPolicyObjective::kEntropyCoefficient} == int{kEntropyCoefficient});
static_assert(int{ClippedGaussianObjective::kEntropyCoefficient} == int{kEntropyCoefficient});

std::shared_ptr<const Objective> MakePolicyObjective(const PolicySpec& policy, double clip) {
  if (!policy.distribution.is_gaussian()) return std::make_shared<ClippedPolicyObjective>(clip, policy.action_sizes);
  return std::make_shared<ClippedGaussianObjective>(policy.distribution, policy.action_size, clip);
}

FreeParameters FreeParametersOf(const PolicySpec& policy) {
  if (!policy.distribution.has_log_std()) return {};
  return {.name = "log_std", .size = policy.action_size, .initial = policy.distribution.initial_log_std};
}

}  // namespace troupe
