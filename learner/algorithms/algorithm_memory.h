// What an algorithm allocates for an update.
#ifndef TROUPE_LEARNER_ALGORITHMS_ALGORITHM_MEMORY_H_
#define TROUPE_LEARNER_ALGORITHMS_ALGORITHM_MEMORY_H_

#include <vector>

#include "absl/status/statusor.h"
#include "common/metrics/memory_budget.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"
#include "proto/experiment.pb.h"

namespace troupe {

// On the host, for batches of `columns` columns; term by term what the algorithm's Update holds at its fullest (of
// MAPPO at the start of the epochs). On a GPU the same rows pass through the host on their way. Episodes are taken to
// be truncated once a rollout and copy. Errors: as of MakeCriticLayouts.
absl::StatusOr<std::vector<MemoryTerm>> AlgorithmMemory(const Experiment& experiment,
                                                        const EnvironmentSpec& environment,
                                                        const std::vector<PolicySpec>& policies, int columns);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_ALGORITHM_MEMORY_H_
