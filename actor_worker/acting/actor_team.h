// The trained actors of all groups, over a fixed number of environment copies.
#ifndef TROUPE_ACTOR_WORKER_ACTING_ACTOR_TEAM_H_
#define TROUPE_ACTOR_WORKER_ACTING_ACTOR_TEAM_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "actor_worker/acting/policy_inference.h"
#include "common/base/host_tensor.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"

namespace troupe {

// The policies as the environment's groups have them, in group order. A policy that is one network for all agents and
// does not take their numbers plays any number of agents; what a group is not there for is left out. Errors:
// INVALID_ARGUMENT naming the first group that no policy fits and everything that differs (agents, observation size,
// actions).
absl::StatusOr<std::vector<PolicySpec>> FitPolicies(const EnvironmentSpec& environment,
                                                    const std::vector<PolicySpec>& policies);

// One inference per group, in group order, with `weights` set. Errors: as FitPolicies and PolicyInference.
absl::StatusOr<std::vector<std::unique_ptr<PolicyInference>>> MakeActorTeam(const EnvironmentSpec& environment,
                                                                            const std::vector<PolicySpec>& policies,
                                                                            const PolicyWeights& weights, int copies);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_ACTOR_TEAM_H_
