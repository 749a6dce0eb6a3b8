// The clipped surrogate of PPO for whatever distribution a group's policy has: what is different about them stands here
// and in actor_rows.h. Host code.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_POLICY_OBJECTIVE_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_POLICY_OBJECTIVE_H_

#include <memory>

#include "common/specs/policy_spec.h"
#include "learner/arithmetic/arithmetic.h"

namespace troupe {

// The objective's scalar for all distributions.
enum PolicyScalar { kEntropyCoefficient };

// Its figures begin with PolicyLossSum's (loss_rows.h); those of Gaussians go on with GaussianLossSum's. The
// distribution is categorical, in one dimension or several, or Gaussian: the algorithm's card has no other.
std::shared_ptr<const Objective> MakePolicyObjective(const PolicySpec& policy, double clip);

// The policy's parameters beside its network's.
FreeParameters FreeParametersOf(const PolicySpec& policy);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_POLICY_OBJECTIVE_H_
