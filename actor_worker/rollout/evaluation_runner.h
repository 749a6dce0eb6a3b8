// Plays the episodes of the learner's evaluation tasks, beside the rollouts and at a lower priority.
#ifndef TROUPE_ACTOR_WORKER_ROLLOUT_EVALUATION_RUNNER_H_
#define TROUPE_ACTOR_WORKER_ROLLOUT_EVALUATION_RUNNER_H_

#include <atomic>
#include <cstdint>

#include "absl/status/statusor.h"
#include "actor_worker/rollout/rollout_loop.h"
#include "common/bounded_queue.h"
#include "common/threads/named_thread.h"
#include "proto/training_service.pb.h"

namespace troupe {

// One task at a time, at most kMaxWaiting waiting; one too many is answered with an error at once, and the learner
// gives it to somebody else. Results go into the lease book. Thread-safe.
class EvaluationRunner {
 public:
  static constexpr int kMaxWaiting = 4;

  explicit EvaluationRunner(const RolloutShared& shared);
  // Stops and waits for the thread.
  ~EvaluationRunner();

  void Add(wire::EvaluationTask task);
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
  void Run();
  wire::EvaluationResult Play(const Task& task);
  absl::StatusOr<wire::EvaluationResult> PlayEpisodes(const Task& task);

  const RolloutShared shared_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> ended_ = false;
  std::atomic<uint64_t> generation_ = 0;
  BoundedQueue<Task> tasks_;
  NamedThread thread_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ROLLOUT_EVALUATION_RUNNER_H_
