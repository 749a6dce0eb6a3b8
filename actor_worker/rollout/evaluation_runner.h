// Plays the episodes of the learner's evaluation tasks, beside the rollouts and at a lower priority.
#ifndef TROUPE_ACTOR_WORKER_ROLLOUT_EVALUATION_RUNNER_H_
#define TROUPE_ACTOR_WORKER_ROLLOUT_EVALUATION_RUNNER_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "actor_worker/rollout/rollout_loop.h"
#include "common/base/bounded_queue.h"
#include "common/threads/named_thread.h"
#include "proto/training_service.pb.h"

namespace troupe {

// One task at a time, at most kMaxWaiting waiting; one too many is answered with an error at once, and the learner
// gives it to somebody else. After Stop none is answered. Results go into the lease book. A task that comes again,
// because the stream broke before its result was heard, is not played again: it is answered when it is done, or at once
// with the result of before. Thread-safe.
class EvaluationRunner {
 public:
  static constexpr int kMaxWaiting = 4;

  // Weights that a task names and does not bring are waited for so long.
  static constexpr absl::Duration kWeightsPatience = absl::Seconds(60);

  explicit EvaluationRunner(const RolloutShared& shared);
  // Stops and waits for the thread.
  ~EvaluationRunner();

  void Add(wire::EvaluationTask task);
  // New weights are in the store: what a task waits for must not leave it unheld.
  void WeightsChanged() ABSL_LOCKS_EXCLUDED(mutex_);
  // Drops every task and what is being played: the learner that gave them is gone.
  void Forget();
  // The thread ends as soon as the environment lets it.
  void Stop();
  // True once the thread has ended.
  bool ended() const { return ended_; }

 private:
  struct Task {
    wire::EvaluationTask message;
    uint64_t generation = 0;
  };
  // What a task that brings no weights is played with.
  struct NamedWeights {
    uint64_t version = 0;
    std::shared_ptr<const PolicySnapshot> weights;  // null until they come, then held until the task is answered
  };
  void Run();
  // The result has been made, for a learner that is not gone. A refusal is not kept, the learner may ask again.
  void Answer(wire::EvaluationResult result, uint64_t generation) ABSL_LOCKS_EXCLUDED(mutex_);
  wire::EvaluationResult Play(const Task& task);
  absl::StatusOr<wire::EvaluationResult> PlayEpisodes(const Task& task);
  // The task's own, or those of its version, which may still be on their way. NOT_FOUND: newer ones are there.
  absl::StatusOr<std::shared_ptr<const PolicySnapshot>> WeightsOf(const Task& task) ABSL_LOCKS_EXCLUDED(mutex_);

  const RolloutShared shared_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> ended_ = false;
  std::atomic<uint64_t> generation_ = 0;
  BoundedQueue<Task> tasks_;
  absl::Mutex mutex_;
  std::map<uint64_t, NamedWeights> under_way_ ABSL_GUARDED_BY(mutex_);       // by task, waiting or being played
  std::deque<wire::EvaluationResult> last_results_ ABSL_GUARDED_BY(mutex_);  // at most kMaxWaiting
  NamedThread thread_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ROLLOUT_EVALUATION_RUNNER_H_
