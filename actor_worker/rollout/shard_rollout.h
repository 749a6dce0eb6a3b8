// One lease at work: the copies of its environment, stepped chunk after chunk.
#ifndef TROUPE_ACTOR_WORKER_ROLLOUT_SHARD_ROLLOUT_H_
#define TROUPE_ACTOR_WORKER_ROLLOUT_SHARD_ROLLOUT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "actor_worker/acting/actor_team.h"
#include "actor_worker/environments/vector_environment.h"
#include "actor_worker/rollout/chunk_builder.h"
#include "actor_worker/rollout/curriculum_stages.h"
#include "actor_worker/rollout/lease_book.h"
#include "actor_worker/rollout/matches.h"
#include "actor_worker/rollout/progress.h"
#include "proto/experiment.pb.h"
#include "proto/trajectory.pb.h"

namespace troupe {

// What every lease of a run has in common.
struct RolloutPlan {
  Experiment experiment;  // complete
  const EnvironmentEntry* environment = nullptr;
  SettingsMap settings;
  EnvironmentSpec spec;
  std::vector<PolicySpec> policies;
  CurriculumStages stages{};  // empty: there is no curriculum

  ChunkShape chunk_shape() const { return ChunkShapeOf(experiment, policies); }
};

// Not thread-safe. Its chunks depend on (run seed, shard, lease epoch) and the weights of each chunk alone.
class ShardRollout {
 public:
  // Errors: those of the environment; FAILED_PRECONDITION when it offers something else than plan.spec. `plan` must
  // outlive it.
  static absl::StatusOr<std::unique_ptr<ShardRollout>> Create(const RolloutPlan& plan,
                                                              std::shared_ptr<const HeldLease> lease);

  // Collects the chunk `sequence` with `snapshot`, which `team` has: episodes that begin in it are of the curriculum's
  // stage that it implies, and against whom its roster says. `progress` hears of every step. Errors: those of the
  // environment, of CurriculumStages::Of and of ActorTeam::ActAmong, after which this rollout is of no more use;
  // CANCELLED once the lease is gone.
  absl::Status Collect(uint64_t sequence, const PolicySnapshot& snapshot, ActorTeam& team, RolloutProgress& progress,
                       wire::Chunk* chunk);

 private:
  ShardRollout(const RolloutPlan& plan, std::shared_ptr<const HeldLease> lease);
  absl::Status BeginEpisodes(const PolicySnapshot& snapshot, ActorTeam& team, RolloutProgress& progress);
  absl::Status Act(ActorTeam& team);

  const RolloutPlan& plan_;
  const std::shared_ptr<const HeldLease> lease_;
  std::unique_ptr<VectorEnvironment> environment_;
  ChunkBuilder builder_;
  RecurrentState state_;
  std::optional<Matches> matches_;  // where there is a pool of saved opponents
  bool started_ = false;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ROLLOUT_SHARD_ROLLOUT_H_
