// Joint steps of a replay as a batch to be trained on: what was seen and done there, what was paid over the next steps,
// and the state from which an estimate follows.
//
// n-step returns (Sutton and Barto, "Reinforcement Learning", section 7.1): R = Σ_{i<k} γ^i r_{t+i}, and γ^k times the
// estimate of what comes after. k = n, or fewer where the episode ends before, or where no later step is kept yet: what
// was seen after the last step is, so the estimate follows there. Truncated episodes go on from their final state,
// terminated ones from nothing.
#ifndef TROUPE_LEARNER_REPLAY_REPLAY_SAMPLE_H_
#define TROUPE_LEARNER_REPLAY_REPLAY_SAMPLE_H_

#include <cstdint>
#include <vector>

#include "learner/batch/training_batch.h"
#include "learner/replay/replay_store.h"
#include "proto/experiment.pb.h"

namespace troupe {

struct ReplaySample {
  // rollout_length 1, a column for each place. Row 0: the state at the place; row 1: the state that estimates follow
  // from (where none does, some state). actions: those at the place. rewards: each agent's R. All flags are 0; nothing
  // else is filled.
  TrainingBatch states;
  std::vector<float> team_rewards;  // [places], R of what the team is paid
  std::vector<float> discounts;     // [places], γ^k; 0 where the episode terminated
};

struct ReturnSettings {
  int n = 1;
  double discount = 0.99;
  TeamReward team_reward = MEAN_ALL;
};

ReplaySample GatherSample(const ReplayStore& store, const std::vector<ReplayPlace>& places,
                          const ReturnSettings& settings);

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPLAY_REPLAY_SAMPLE_H_
