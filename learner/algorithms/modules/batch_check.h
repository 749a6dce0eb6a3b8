// Holds a batch to the shapes its environment promises, before anything reads it.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_BATCH_CHECK_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_BATCH_CHECK_H_

#include "absl/status/status.h"
#include "common/specs/environment_spec.h"
#include "common/wire/chunk_shape.h"
#include "learner/batch/training_batch.h"

namespace troupe {

// INVALID_ARGUMENT naming the field, the size that came and the one expected; likewise an action or a truncation out of
// range. `shape`: what the batch has of network states and of optional fields; its numbers of steps and copies do not
// count, the batch says them.
absl::Status CheckBatch(const EnvironmentSpec& environment, const TrainingBatch& batch, ChunkShape shape = {});

// What recurrent networks need besides: a stream for every column. INVALID_ARGUMENT.
absl::Status CheckStreams(const TrainingBatch& batch);

// False: some number is not finite. A replay would draw it for as long as it keeps it.
bool IsFinite(const TrainingBatch& batch);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_BATCH_CHECK_H_
