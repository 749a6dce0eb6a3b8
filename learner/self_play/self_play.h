// Self-play against saved versions, as the training thread sees it.
//
//   after update v:  Advance(actors of v, the trained batch's episodes)   matches are counted, v is saved if it is due
//                    roster()                                            rides on version v
#ifndef TROUPE_LEARNER_SELF_PLAY_SELF_PLAY_H_
#define TROUPE_LEARNER_SELF_PLAY_SELF_PLAY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "common/base/policy_snapshot.h"
#include "common/specs/environment_spec.h"
#include "learner/batch/episode_summary.h"
#include "learner/checkpoint/checkpoint.h"
#include "learner/checkpoint/self_play_state.h"
#include "learner/ranks/collective.h"
#include "proto/experiment.pb.h"

namespace troupe {

// The empty pool that a run begins with; none where it has none.
std::optional<SelfPlayState> FirstPool(const Experiment& experiment);

// Belongs to the training thread. The same on every rank.
class SelfPlay {
 public:
  // `start`: experiment, environment and where the run stands.
  explicit SelfPlay(const Checkpoint& start);

  bool is_on() const { return state_.has_value(); }
  const std::optional<SelfPlayState>& state() const { return state_; }

  // The run, which has a pool, has come to the version of `actors`, trained on the batch that `episodes` are of: this
  // rank's, whatever order they came in. Every rank calls it.
  void Advance(const PolicySnapshot& actors, absl::Span<const EpisodeSummary> episodes, Collective* ranks);

  // Of the version that the run has come to; null while the pool is empty, or without one.
  std::shared_ptr<const Roster> roster() const;

  // For records and metrics: self_play_pool, the versions in it, and, once matches have ended, self_play_win_rate, the
  // share of those remembered that the newest actors won.
  std::vector<std::pair<std::string, double>> figures() const;

 private:
  const SelfPlaySettings settings_;
  const uint64_t seed_;
  const EnvironmentSpec environment_;
  std::vector<uint8_t> learning_;  // [teams], 1: may learn where a saved version plays
  std::optional<SelfPlayState> state_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SELF_PLAY_SELF_PLAY_H_
