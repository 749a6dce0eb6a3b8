// A batch as a safetensors file, for whoever wants to know what an update could not be made of: every tensor of the
// trajectory table under its name and in its shape, "GROUP/FIELD" or "FIELD", and what the columns are pieces of.
#ifndef TROUPE_LEARNER_BATCH_BATCH_FILE_H_
#define TROUPE_LEARNER_BATCH_BATCH_FILE_H_

#include <map>
#include <string>

#include "common/files/safetensors.h"
#include "common/specs/environment_spec.h"
#include "common/wire/chunk_shape.h"
#include "learner/batch/training_batch.h"

namespace troupe {

inline constexpr char kBatchFormat[] = "troupe-batch/1";

// `shape` is the run's (ChunkShapeOf). Tensors that the run does not have are left out; "policy_versions" [B] and
// "streams" [B, 4] (shard, copy, lease epoch, sequence) are INT64. `metadata` is given the format, the environment's
// name and, where the batch has rewards, which is the largest and whose (LargestReward).
SafetensorsFile EncodeBatch(const TrainingBatch& batch, const EnvironmentSpec& environment, ChunkShape shape,
                            std::map<std::string, std::string> metadata);

// In words: "-1e+30, agent J0, step 12, column 5 (shard 1, copy 1)". A number that is not finite is larger than all
// others. "" where no group has a reward.
std::string LargestReward(const TrainingBatch& batch, const EnvironmentSpec& environment);

// Memory that EncodeBatch's result takes, about.
size_t BatchFileBytes(const TrainingBatch& batch);

}  // namespace troupe

#endif  // TROUPE_LEARNER_BATCH_BATCH_FILE_H_
