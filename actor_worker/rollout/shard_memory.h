// How many shards' chunks fit the memory a worker may use.
#ifndef TROUPE_ACTOR_WORKER_ROLLOUT_SHARD_MEMORY_H_
#define TROUPE_ACTOR_WORKER_ROLLOUT_SHARD_MEMORY_H_

#include <optional>

#include "absl/status/statusor.h"
#include "common/metrics/memory_budget.h"
#include "common/specs/environment_spec.h"
#include "common/wire/chunk_shape.h"
#include "proto/experiment.pb.h"

namespace troupe {

// A shard's chunks: unacknowledged_window of them, the one being collected included. What its copies of the environment
// take, nobody knows before they run.
MemoryTerm ShardMemory(const CollectionSettings& collection, const EnvironmentSpec& spec, const ChunkShape& shape);

// At most `wanted`; fewer where `use` leaves less. RESOURCE_EXHAUSTED with the arithmetic: not even one fits.
absl::StatusOr<int> ShardsThatFit(const CollectionSettings& collection, const EnvironmentSpec& spec,
                                  const ChunkShape& shape, const std::optional<MemoryUse>& use, int wanted);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ROLLOUT_SHARD_MEMORY_H_
