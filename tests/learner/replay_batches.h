// Small batches for tests of the replay, whose numbers say where they came from.
#ifndef TROUPE_TESTS_LEARNER_REPLAY_BATCHES_H_
#define TROUPE_TESTS_LEARNER_REPLAY_BATCHES_H_

#include <cstdint>
#include <vector>

#include "learner/batch/training_batch.h"

namespace troupe {

inline constexpr int kReplaySteps = 2, kReplayColumns = 3, kReplayAgents = 2;

// Two agents with one observed number and two actions, no episode's end. Observation of row t, agent a of a column:
// 100 · first_step + 10 · t + a, shifted by 1000 · column; rewards 0; every column begins a lease of its own.
inline TrainingBatch ReplayBatch(int first_step = 0) {
  TrainingBatch batch;
  batch.rollout_length = kReplaySteps;
  batch.columns = kReplayColumns;
  const int seen = (kReplaySteps + 1) * kReplayColumns, acted = kReplaySteps * kReplayColumns;
  GroupBatch& group = batch.groups.emplace_back();
  for (int row = 0; row < seen; ++row) {
    batch.state_extras.push_back(static_cast<float>(row));
    for (int agent = 0; agent < kReplayAgents; ++agent) {
      const int number = 1000 * (row % kReplayColumns) + 100 * first_step + 10 * (row / kReplayColumns) + agent;
      group.observations.push_back(static_cast<float>(number));
    }
  }
  group.discrete_actions.assign(acted * kReplayAgents, 0);
  group.rewards.assign(acted * kReplayAgents, 0.0f);
  group.action_masks.assign(seen * kReplayAgents * 2, 1);
  group.alive.assign(seen * kReplayAgents, 1);
  batch.terminated.assign(acted, 0);
  batch.truncated.assign(acted, 0);
  batch.policy_versions.assign(kReplayColumns, 0);
  for (int column = 0; column < kReplayColumns; ++column) {
    batch.streams.push_back({.shard = 0, .copy = static_cast<uint32_t>(column), .lease_epoch = 1, .sequence = 0});
  }
  return batch;
}

// The batch that follows, whose pieces are the next of the same streams.
inline TrainingBatch NextReplayBatch(const TrainingBatch& before, int first_step) {
  TrainingBatch batch = ReplayBatch(first_step);
  batch.streams = before.streams;
  for (ColumnStream& stream : batch.streams) ++stream.sequence;
  return batch;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_LEARNER_REPLAY_BATCHES_H_
