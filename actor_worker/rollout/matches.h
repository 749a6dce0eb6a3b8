// Who plays in each copy of one lease: every team the newest actors, or one team they, who learn, and the others a
// saved version (SelfPlaySettings).
//
// An episode's match is drawn where it begins, from the roster of the version that collects the chunk: a function of
// (run seed, shard, lease epoch, copy, number of the episode) and of that roster alone. It lasts as long as the
// episode, whatever becomes of the pool meanwhile.
#ifndef TROUPE_ACTOR_WORKER_ROLLOUT_MATCHES_H_
#define TROUPE_ACTOR_WORKER_ROLLOUT_MATCHES_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "actor_worker/acting/saved_actors.h"
#include "common/base/policy_snapshot.h"
#include "common/specs/environment_spec.h"
#include "proto/trajectory.pb.h"

namespace troupe {

// Not thread-safe.
class Matches {
 public:
  // What all of them are drawn from.
  struct Source {
    uint64_t run_seed = 0;
    uint32_t shard = 0, lease_epoch = 0;
  };

  Matches(const EnvironmentSpec& spec, int copies, const Source& source);

  // An episode begins in this copy. `roster` null: every team is the newest actors'.
  void Begin(int copy, const Roster* roster);

  // Of all copies, where saved actors sit; good until the next Begin.
  absl::Span<const Seat> seats();

  // Whether the newest actors play group g in this copy.
  bool Learns(int copy, int group) const {
    return matches_[copy].opponent == nullptr || matches_[copy].learning_team == team_of_[group];
  }
  // The same of all agents of group g: [E, A], 1 or 0.
  void WriteLearns(int group, absl::Span<uint8_t> learns) const;

  // Says of an episode that is over in this copy whom it was played against.
  void Describe(int copy, wire::FinishedEpisode* episode) const;

 private:
  struct Match {
    std::shared_ptr<const PolicySnapshot> opponent;  // null: every team is the newest actors'
    int learning_team = 0;
    uint64_t begun = 0;  // episodes of the copy so far
  };

  void Draw(uint64_t key, const Roster& roster, Match* match) const;

  const Source source_;
  const std::vector<int> team_of_;  // of each group
  std::vector<Match> matches_;      // of each copy
  std::vector<Seat> seats_;
  bool seats_are_old_ = false;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ROLLOUT_MATCHES_H_
