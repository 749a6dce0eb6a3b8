// Everything a worker has for one run: what to collect, the threads that collect it, the leases, the weights.
//
//   Create ─► { Receive, (streams read and feed leases() and policies()) }* ─► FinishChunks | Abandon ─► WaitEnded ─►
//   destruction
#ifndef TROUPE_ACTOR_WORKER_ROLLOUT_WORKER_RUN_H_
#define TROUPE_ACTOR_WORKER_ROLLOUT_WORKER_RUN_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "actor_worker/rollout/evaluation_runner.h"
#include "actor_worker/rollout/rollout_loop.h"
#include "common/threads/named_thread.h"
#include "proto/training_service.pb.h"

namespace troupe {

using EnvironmentFinder = std::function<absl::StatusOr<const EnvironmentEntry*>(const std::string& name)>;

// What to collect for `experiment`: its environment found and made once to learn its spec. Errors: those of
// ValidateExperiment, of the finder, of the environment, of CheckAlgorithm and of MakePolicySpecs.
absl::StatusOr<RolloutPlan> MakeRolloutPlan(Experiment experiment, const EnvironmentFinder& find_environment);

// Most bytes of a Weights message, or of an EvaluationTask, for these policies.
size_t MaxWeightsBytes(const std::vector<PolicySpec>& policies);

// Thread-safe but for CheckThreads, which one thread calls.
class WorkerRun {
 public:
  // `collected` is notified when there is something to send. It and `metrics` outlive the run.
  WorkerRun(RolloutPlan plan, int rollout_threads, int max_shards, WakeUp* collected, WorkerMetrics* metrics);
  // Abandons and waits for the threads; a thread that hangs keeps it from returning (see WaitEnded).
  ~WorkerRun();

  const RolloutPlan& plan() const { return plan_; }
  LeaseBook& leases() { return leases_; }
  PolicyStore& policies() { return policies_; }

  // Acts on everything but Drain, which is the session's.
  void Receive(wire::LearnerMessage& message);
  // New weights are in the store.
  void WeightsChanged();
  // The learner does not know this worker (any more): leases, chunks, weights and tasks are forgotten. Not while a
  // session feeds the run, which could bring some of them back: that ends the process.
  void Forget();
  // Held by a session for as long as anything of it may call the run.
  class Feeding {
   public:
    explicit Feeding(WorkerRun* run) : run_(run) { run_->sessions_ += 1; }
    ~Feeding() { run_->sessions_ -= 1; }
    Feeding(const Feeding&) = delete;
    Feeding& operator=(const Feeding&) = delete;

   private:
    WorkerRun* const run_;
  };

  // The chunks being collected are the last ones.
  void FinishChunks();
  // Everything is cut short.
  void Abandon();
  // Waits until all threads have ended after FinishChunks or Abandon. False: some still run after `timeout`.
  bool WaitEnded(absl::Duration timeout);

  // The watchdog: a rollout thread silent for longer than RolloutProgress::LimitSeconds is given up, its leases
  // reported as failed so that the learner leases them elsewhere, and it gets no more. The thread cannot be ended; if
  // its simulator answers after all, what it brings is dropped. False: no thread is left, the process had better end.
  bool CheckThreads();

 private:
  struct Thread {
    std::unique_ptr<RolloutLoop> loop;
    bool hangs = false;
    std::atomic<bool> ended = false;
    NamedThread thread;
  };

  const RolloutPlan plan_;
  const double lease_timeout_seconds_;
  WorkerMetrics* const metrics_;
  std::atomic<int> sessions_ = 0;  // that feed the run
  WakeUp work_;
  LeaseBook leases_;
  PolicyStore policies_;
  ChunkPool chunks_;
  const RolloutShared shared_;
  EvaluationRunner evaluations_;
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ROLLOUT_WORKER_RUN_H_
