// A rollout thread: collects chunks for the leases it was given, one after the other, until it is stopped.
#ifndef TROUPE_ACTOR_WORKER_ROLLOUT_ROLLOUT_LOOP_H_
#define TROUPE_ACTOR_WORKER_ROLLOUT_ROLLOUT_LOOP_H_

#include <atomic>
#include <map>
#include <memory>

#include "absl/status/status.h"
#include "actor_worker/acting/actor_team.h"
#include "actor_worker/acting/policy_store.h"
#include "actor_worker/rollout/chunk_pool.h"
#include "actor_worker/rollout/lease_book.h"
#include "actor_worker/rollout/progress.h"
#include "actor_worker/rollout/shard_rollout.h"
#include "actor_worker/rollout/wake_up.h"
#include "actor_worker/rollout/worker_metrics.h"

namespace troupe {

// What a rollout thread shares with the rest of the worker. Everything outlives the loop.
struct RolloutShared {
  const RolloutPlan* plan = nullptr;
  LeaseBook* leases = nullptr;
  PolicyStore* policies = nullptr;
  ChunkPool* chunks = nullptr;
  WakeUp* work = nullptr;       // notified when a lease, a version, an acknowledgement or the stop came
  WakeUp* collected = nullptr;  // notified when a chunk or a failure is ready to be sent
  WorkerMetrics* metrics = nullptr;
};

class RolloutLoop {
 public:
  RolloutLoop(int thread, const RolloutShared& shared);

  // Runs until Stop; the body of the thread. A lease whose environment fails (Status or exception) is given up and its
  // environment destroyed.
  void Run();

  // Thread-safe. The chunk being collected is finished first; to cut that short, end its lease.
  void Stop();

  RolloutProgress& progress() { return progress_; }

 private:
  void CollectOne(const RolloutWork& work);
  absl::Status Collect(const RolloutWork& work, wire::Chunk* chunk);
  void DropEndedLeases();

  const int thread_;
  const RolloutShared shared_;
  std::atomic<bool> stopping_ = false;
  RolloutProgress progress_;
  std::unique_ptr<ActorTeam> team_;
  std::map<std::shared_ptr<const HeldLease>, std::unique_ptr<ShardRollout>> rollouts_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ROLLOUT_ROLLOUT_LOOP_H_
