// Many workers in one process that live through nothing: each keeps the real worker's books (leases, window, versions,
// resending) and its two real streams on a connection of its own, and sends a chunk that was recorded once from the
// run's environment wherever a rollout would send a new one. What a chunk costs from the finished rollout on is the
// real thing: it is written row by row into a pooled message, serialised, sent and kept until it is acknowledged.
#ifndef TROUPE_TESTS_BENCHMARKS_SUPPORT_SYNTHETIC_WORKERS_H_
#define TROUPE_TESTS_BENCHMARKS_SUPPORT_SYNTHETIC_WORKERS_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "actor_worker/acting/policy_store.h"
#include "actor_worker/rollout/chunk_pool.h"
#include "actor_worker/rollout/lease_book.h"
#include "actor_worker/rollout/shard_rollout.h"
#include "actor_worker/stream/trajectory_stream.h"
#include "actor_worker/stream/weights_subscription.h"
#include "common/security/client_credentials.h"
#include "proto/training_service.grpc.pb.h"

namespace troupe::testing {

class SyntheticWorkers {
 public:
  struct Options {
    int port = 0;  // of the learner, on this machine
    ClientSecurity security;
    int workers = 1;
    bool send_chunks = true;  // false: only weights are listened to
    // A version of the weights is in worker `worker`'s store. Called from any thread.
    std::function<void(int worker, uint64_t version)> received_weights;
  };

  // Learns the run from the learner, records a chunk and connects every worker. Ends the process when that fails.
  explicit SyntheticWorkers(Options options);
  ~SyntheticWorkers();

  // Collects and sends on the calling thread until the learner drains or its streams break.
  void Run();

  const wire::Chunk& recorded() const { return recorded_; }

 private:
  struct Worker;

  // One of its own.
  std::shared_ptr<grpc::Channel> OpenChannel(size_t max_message_bytes) const;
  void Connect(int index);
  void Received(Worker& worker, wire::LearnerMessage& message);
  // The worker has something to look at.
  void Wake(Worker& worker) ABSL_LOCKS_EXCLUDED(mutex_);
  void CollectAll(Worker& worker);
  std::shared_ptr<const wire::WorkerMessage> Collect(Worker& worker, const RolloutWork& work);
  bool HasReadyOrEnded() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return ended_ || !ready_.empty(); }

  const Options options_;
  std::shared_ptr<const ClientCredentials> credentials_;
  std::string run_id_;
  RolloutPlan plan_;
  wire::Chunk recorded_;
  std::vector<std::unique_ptr<Worker>> workers_;

  absl::Mutex mutex_;
  std::deque<Worker*> ready_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_BENCHMARKS_SUPPORT_SYNTHETIC_WORKERS_H_
