// Whether trained actors can play an environment, and how.
#ifndef TROUPE_ACTOR_WORKER_ACTING_FIT_POLICIES_H_
#define TROUPE_ACTOR_WORKER_ACTING_FIT_POLICIES_H_

#include <vector>

#include "absl/status/statusor.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"

namespace troupe {

// The policies as the environment's groups have them, in group order. A policy that is one network for all agents and
// does not take their numbers plays any number of agents; what a group is not there for is left out. Errors:
// INVALID_ARGUMENT naming the first group that no policy fits and everything that differs (agents, observation size,
// actions).
absl::StatusOr<std::vector<PolicySpec>> FitPolicies(const EnvironmentSpec& environment,
                                                    const std::vector<PolicySpec>& policies);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_FIT_POLICIES_H_
