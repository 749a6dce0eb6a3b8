// The pool of saved versions: who comes in, who stays, and how often each is met.
#ifndef TROUPE_LEARNER_SELF_PLAY_OPPONENT_POOL_H_
#define TROUPE_LEARNER_SELF_PLAY_OPPONENT_POOL_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "common/base/policy_snapshot.h"
#include "learner/checkpoint/self_play_state.h"
#include "proto/experiment.pb.h"

namespace troupe {

// Takes these actors in as the newest of the pool, at the cost of another when it is full, or not at all where ANY_STAY
// has drawn so: by the run's seed and the number of versions saved so far. `num_teams`: of the environment.
void SaveVersion(const SelfPlaySettings& settings, uint64_t run_seed, int num_teams,
                 std::shared_ptr<const PolicySnapshot> actors, SelfPlayState* state);

// The share of matches won, as if half of one more had been.
double WinRate(const MatchRecord& record);

// What OpponentRule gives for a share of matches won, in (0, 1).
double OpponentWeight(const SelfPlaySettings& settings, double win_rate);

// Whom episodes meet that begin now; null while the pool is empty. `learning`: for each team whether it may be the one
// that learns.
std::shared_ptr<const Roster> MakeRoster(const SelfPlaySettings& settings, const std::vector<uint8_t>& learning,
                                         const SelfPlayState& state);

}  // namespace troupe

#endif  // TROUPE_LEARNER_SELF_PLAY_OPPONENT_POOL_H_
