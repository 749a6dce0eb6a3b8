// One update's data in training memory, as the batch assembler lays it out and an algorithm reads it.
//
// The tensors and their shapes are those of common/wire/trajectory_fields.h, with B = batch columns (num_shards ×
// copies_per_shard, ordered by shard, then copy) for E. Row-major; no LibTorch and no protobuf here, so that both sides
// may include it.
#ifndef TROUPE_LEARNER_BATCH_TRAINING_BATCH_H_
#define TROUPE_LEARNER_BATCH_TRAINING_BATCH_H_

#include <cstdint>
#include <vector>

#include "common/wire/trajectory_fields.h"

namespace troupe {

using GroupBatch = GroupTensors<std::vector<float>, std::vector<int32_t>, std::vector<uint8_t>>;

// What a column is a piece of: the life of one copy of the environment under one lease, T steps a piece. Piece 0 begins
// with a new episode and fresh network states; a shard that is leased again begins a new stream.
struct ColumnStream {
  uint32_t shard = 0;
  uint32_t copy = 0;  // of the shard
  uint32_t lease_epoch = 0;
  uint64_t sequence = 0;  // of the piece, 0, 1, 2, …

  bool begins() const { return sequence == 0; }
  // Whether this piece follows `before` step for step: its row 0 is that piece's row T. Pieces that were too old to be
  // trained on (ASYNCHRONOUS) are missing in between.
  bool Continues(const ColumnStream& before) const {
    return shard == before.shard && copy == before.copy && lease_epoch == before.lease_epoch &&
           sequence == before.sequence + 1;
  }
  bool operator==(const ColumnStream&) const = default;
};

struct TrainingBatch : JointTensors<std::vector<float>, std::vector<int32_t>, std::vector<uint8_t>> {
  int rollout_length = 0;  // T
  int columns = 0;         // B
  std::vector<GroupBatch> groups;
  std::vector<uint64_t> policy_versions;  // [B]: the version that acted in each column
  std::vector<ColumnStream> streams;      // [B]

  int64_t env_steps() const { return static_cast<int64_t>(rollout_length) * columns; }
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_BATCH_TRAINING_BATCH_H_
