// The trained actors of all groups, over a fixed number of environment copies.
#ifndef TROUPE_ACTOR_WORKER_EVALUATION_ACTOR_TEAM_H_
#define TROUPE_ACTOR_WORKER_EVALUATION_ACTOR_TEAM_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "actor_worker/inference/policy_inference.h"
#include "common/environment_spec.h"
#include "common/host_tensor.h"
#include "common/policy_spec.h"

namespace troupe {

// INVALID_ARGUMENT naming the first group whose spec the policies do not fit (agents, observation size, actions).
absl::Status CheckPoliciesFit(const EnvironmentSpec& environment, const std::vector<PolicySpec>& policies);

// One inference per group, in group order, with `weights` set. Errors: as CheckPoliciesFit and PolicyInference.
absl::StatusOr<std::vector<std::unique_ptr<PolicyInference>>> MakeActorTeam(const EnvironmentSpec& environment,
                                                                            const std::vector<PolicySpec>& policies,
                                                                            const PolicyWeights& weights, int copies);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_EVALUATION_ACTOR_TEAM_H_
