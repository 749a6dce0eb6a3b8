// A batch as it comes from ingestion to the training loop.
#ifndef TROUPE_LEARNER_BATCH_ASSEMBLED_BATCH_H_
#define TROUPE_LEARNER_BATCH_ASSEMBLED_BATCH_H_

#include <cstdint>

#include "learner/batch/training_batch.h"

namespace troupe {

// A filled batch. It stays the server's; give it back with ReleaseBatch so that it is filled again.
struct AssembledBatch {
  const TrainingBatch* batch = nullptr;
  uint64_t update = 0;         // the update it is for
  double seconds_waited = 0;   // of NextBatch
  double mean_policy_lag = 0;  // update − policy version, mean over columns
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_BATCH_ASSEMBLED_BATCH_H_
