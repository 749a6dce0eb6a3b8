// A batch as bytes, for a file of this machine's own: every tensor's length, then its elements as they lie in memory.
#ifndef TROUPE_LEARNER_REPLAY_REPLAY_RECORD_H_
#define TROUPE_LEARNER_REPLAY_REPLAY_RECORD_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "learner/batch/training_batch.h"

namespace troupe {

std::string EncodeReplayBatch(const TrainingBatch& batch);

// DATA_LOSS: it ends too early or late, or says sizes that its bytes do not have; nothing is allocated for such.
// Whether shapes are an environment's is not looked at (algorithms/modules/batch_check.h).
absl::StatusOr<TrainingBatch> DecodeReplayBatch(std::string_view bytes);

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPLAY_REPLAY_RECORD_H_
