// One update's data in training memory, as the batch assembler lays it out and an algorithm reads it.
//
// T = rollout_length, B = batch columns (num_shards × copies_per_shard, ordered by shard, then copy), A = agents of the
// group, O = observation size, N = action size, S = state_extras_size, K = truncated episodes in the batch.
// Row-major; no LibTorch and no protobuf here, so that both sides may include it.
#ifndef TROUPE_LEARNER_BATCH_TRAINING_BATCH_H_
#define TROUPE_LEARNER_BATCH_TRAINING_BATCH_H_

#include <cstdint>
#include <vector>

namespace troupe {

struct GroupBatch {
  std::vector<float> observations;        // [T+1, B, A, O]
  std::vector<int32_t> discrete_actions;  // [T, B, A], empty for continuous groups
  std::vector<float> continuous_actions;  // [T, B, A, N], empty for discrete groups
  std::vector<float> log_probabilities;   // [T, B, A], of the behaviour policy
  std::vector<float> rewards;             // [T, B, A]
  std::vector<uint8_t> action_masks;      // [T+1, B, A, N], 1 = allowed; empty for continuous groups
  std::vector<uint8_t> alive;             // [T+1, B, A], 1 = the agent acts at this step
  std::vector<float> final_observations;  // [K, A, O]
  std::vector<float> network_states;
};

struct ColumnStream {
  uint32_t shard = 0;
  uint32_t copy = 0;  // of the shard
  uint32_t lease_epoch = 0;
  uint64_t sequence = 0;  // of the piece, 0, 1, 2, …

  bool begins() const { return sequence == 0; }
  bool Continues(const ColumnStream& before) const {
    return shard == before.shard && copy == before.copy && lease_epoch == before.lease_epoch &&
           sequence == before.sequence + 1;
  }
  bool operator==(const ColumnStream&) const = default;
};

struct TrainingBatch {
  int rollout_length = 0;  // T
  int columns = 0;         // B
  std::vector<GroupBatch> groups;
  std::vector<float> state_extras;        // [T+1, B, S]
  std::vector<uint8_t> terminated;        // [T, B]: nothing follows step t; row t+1 is another episode's first
  std::vector<uint8_t> truncated;         // [T, B]: row t+1 is another episode's first; bootstrap from final_*
  std::vector<int32_t> truncated_at;      // [K, 2]: (t, column)
  std::vector<float> final_state_extras;  // [K, S]
  std::vector<uint64_t> policy_versions;  // [B]: the version that acted in each column
  std::vector<ColumnStream> streams;      // [B]

  int64_t env_steps() const { return static_cast<int64_t>(rollout_length) * columns; }
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_BATCH_TRAINING_BATCH_H_
