// What ingestion keeps over a restart.
#ifndef TROUPE_LEARNER_BATCH_INGEST_STATE_H_
#define TROUPE_LEARNER_BATCH_INGEST_STATE_H_

#include <cstdint>
#include <vector>

namespace troupe {

// What must survive a restart so that nothing is counted twice; stored in checkpoints.
struct IngestState {
  std::vector<uint32_t> lease_epochs;  // [num_shards], the last epoch given out per shard; 0: none yet
  uint64_t chunks_trained = 0;         // num_shards per update, other learners' with them
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_BATCH_INGEST_STATE_H_
