#include "learner/run/learner_memory.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/self_play_settings.h"
#include "common/wire/chunk_bytes.h"
#include "learner/algorithms/algorithm_memory.h"
#include "learner/ingest/batch_assembler.h"
#include "learner/reporting/banner.h"

namespace troupe {
namespace {

// A message that was read and one that is being joined out of its pieces, for every stream.
constexpr double kMessagesPerShard = 2;
// Of the pool of saved versions: what is trained against, its messages, and a checkpoint's.
constexpr double kPoolCopies = 3;

double BytesOf(const std::vector<PolicySpec>& policies) {
  double bytes = 0;
  for (const PolicySpec& policy : policies) {
    for (const DenseStackSpec::Parameter& parameter : policy.Parameters()) {
      double numbers = 1;
      for (const int64_t size : parameter.shape) numbers *= static_cast<double>(size);
      bytes += numbers * sizeof(float);
    }
  }
  return bytes;
}

}  // namespace

absl::StatusOr<std::vector<MemoryTerm>> RunMemory(const Experiment& experiment, const EnvironmentSpec& environment,
                                                  const std::vector<PolicySpec>& policies, ShardRange own_shards,
                                                  int local_workers) {
  const CollectionSettings& collection = experiment.collection();
  const int columns = own_shards.count * static_cast<int>(collection.copies_per_shard());
  const uint64_t steps = uint64_t{collection.rollout_length()} * columns;
  // In training memory observations are float32 however they travel.
  const ChunkShape shape = ChunkShapeOf(experiment, policies);
  ChunkShape batch = shape;
  batch.copies = columns;
  batch.half_observations = false;
  const double chunk = UsualChunkBytes(environment, shape);
  std::vector<MemoryTerm> terms = {
      {absl::StrCat("two batches of ", own_shards.count, " shards × ", collection.copies_per_shard(), " copies × ",
                    collection.rollout_length(), " steps = ", WithThousands(steps),
                    " steps, one filling while the other is trained on"),
       static_cast<double>(BatchAssembler::kBatches) * UsualChunkBytes(environment, batch)},
      {"chunks on their way into them, two a shard", kMessagesPerShard * own_shards.count * chunk},
  };
  ASSIGN_OR_RETURN(const std::vector<MemoryTerm> algorithm,
                   AlgorithmMemory(experiment, environment, policies, columns));
  terms.insert(terms.end(), algorithm.begin(), algorithm.end());
  if (HasPool(experiment.self_play())) {
    const double versions = experiment.self_play().pool_size() * BytesOf(policies);
    terms.push_back({absl::StrCat("self_play.pool_size = ", experiment.self_play().pool_size(),
                                  " saved versions as tensors, as messages and in a checkpoint under way",
                                  local_workers > 0 ? ", and at each local worker" : ""),
                     versions * (kPoolCopies + local_workers)});
  }
  if (local_workers > 0) {
    const uint32_t window = std::max<uint32_t>(1, collection.unacknowledged_window());
    terms.push_back({absl::StrCat("local workers' chunks, unacknowledged_window = ", window, " a shard"),
                     window * own_shards.count * chunk});
  }
  return terms;
}

absl::Status CheckRunMemory(const std::vector<MemoryTerm>& terms, const std::optional<MemoryUse>& use) {
  return CheckMemory(terms, use,
                     "make collection.num_shards, copies_per_shard or rollout_length smaller (fewer steps per update), "
                     "or, where there is one, the replay (q_learning.replay_bytes), or raise the limit");
}

}  // namespace troupe
