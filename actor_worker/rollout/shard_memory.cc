#include "actor_worker/rollout/shard_memory.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/wire/chunk_bytes.h"

namespace troupe {

MemoryTerm ShardMemory(const CollectionSettings& collection, const EnvironmentSpec& spec, const ChunkShape& shape) {
  const uint32_t window = std::max<uint32_t>(1, collection.unacknowledged_window());
  return {absl::StrCat("one shard: unacknowledged_window = ", window, " chunks of ", collection.copies_per_shard(),
                       " copies × ", collection.rollout_length(), " steps"),
          static_cast<double>(window) * UsualChunkBytes(spec, shape)};
}

absl::StatusOr<int> ShardsThatFit(const CollectionSettings& collection, const EnvironmentSpec& spec,
                                  const ChunkShape& shape, const std::optional<MemoryUse>& use, int wanted) {
  const MemoryTerm shard = ShardMemory(collection, spec, shape);
  RETURN_IF_ERROR(
      CheckMemory({shard}, use, "make collection.copies_per_shard or rollout_length smaller, or raise the limit"));
  if (!use.has_value()) return wanted;
  return static_cast<int>(std::min<double>(wanted, std::floor((use->limit_bytes - use->used_bytes) / shard.bytes)));
}

}  // namespace troupe
