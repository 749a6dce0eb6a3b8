// The saved versions of a run's actors, between two updates.
#ifndef TROUPE_LEARNER_CHECKPOINT_SELF_PLAY_STATE_H_
#define TROUPE_LEARNER_CHECKPOINT_SELF_PLAY_STATE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "common/base/policy_snapshot.h"

namespace troupe {

// How the newest actors have done against a saved version, as one team.
struct MatchRecord {
  double matches = 0;  // old ones count less (SelfPlaySettings.remembered_matches)
  double won = 0;      // of them; a draw is half
  bool operator==(const MatchRecord&) const = default;
};

struct SavedVersion {
  std::shared_ptr<const PolicySnapshot> actors;
  std::vector<MatchRecord> records;  // for each of the environment's teams, when it learnt
};

struct SelfPlayState {
  std::vector<SavedVersion> pool;  // by version, ascending
  uint64_t saved = 0;              // versions so far, those that are gone too
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_CHECKPOINT_SELF_PLAY_STATE_H_
