// What a team is paid at one joint step.
#ifndef TROUPE_LEARNER_BATCH_TEAM_REWARD_H_
#define TROUPE_LEARNER_BATCH_TEAM_REWARD_H_

#include <algorithm>
#include <cstdint>

#include "learner/batch/training_batch.h"
#include "proto/experiment.pb.h"

namespace troupe {

// Of all agents of all groups at joint step `cell` = t · B + column, as critic.team_reward says; 0 where none counts.
inline double TeamRewardAt(const TrainingBatch& batch, int64_t cell, TeamReward team) {
  const int64_t steps = batch.env_steps();
  double sum = 0;
  int64_t paid = 0;
  for (const GroupBatch& group : batch.groups) {
    const int64_t agents = static_cast<int64_t>(group.rewards.size()) / steps;
    for (int64_t i = cell * agents; i < (cell + 1) * agents; ++i) {
      if (team == MEAN_LIVING && group.alive[i] == 0) continue;
      sum += group.rewards[i];
      ++paid;
    }
  }
  return team == SUM ? sum : sum / static_cast<double>(std::max<int64_t>(1, paid));
}

}  // namespace troupe

#endif  // TROUPE_LEARNER_BATCH_TEAM_REWARD_H_
