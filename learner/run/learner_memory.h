// What a run takes on this machine beyond what runs already, before its first step.
#ifndef TROUPE_LEARNER_RUN_LEARNER_MEMORY_H_
#define TROUPE_LEARNER_RUN_LEARNER_MEMORY_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/metrics/memory_budget.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"
#include "learner/ingest/shard_range.h"
#include "proto/experiment.pb.h"

namespace troupe {

// The learner's batches, chunks on their way, saved versions and the algorithm's own, and the chunks of local workers
// with theirs. What the
// environment's copies take, simulators above all, nobody here knows.
absl::StatusOr<std::vector<MemoryTerm>> RunMemory(const Experiment& experiment, const EnvironmentSpec& environment,
                                                  const std::vector<PolicySpec>& policies, ShardRange own_shards,
                                                  int local_workers);

// RESOURCE_EXHAUSTED with the arithmetic when that is more than `use` leaves (common/metrics/memory_budget.h).
absl::Status CheckRunMemory(const std::vector<MemoryTerm>& terms, const std::optional<MemoryUse>& use);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_LEARNER_MEMORY_H_
