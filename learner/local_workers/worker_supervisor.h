// Keeps this machine's actor workers alive for the time of a run.
#ifndef TROUPE_LEARNER_LOCAL_WORKERS_WORKER_SUPERVISOR_H_
#define TROUPE_LEARNER_LOCAL_WORKERS_WORKER_SUPERVISOR_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock/steady_time.h"
#include "common/metrics/metrics.h"
#include "common/processes/piped_process.h"
#include "common/threads/named_thread.h"
#include "learner/local_workers/restart_policy.h"
#include "learner/local_workers/worker_log.h"
#include "learner/reporting/console.h"

namespace troupe {

struct WorkerSupervisorOptions {
  std::vector<std::string> command;  // the same for every worker
  int num_workers = 0;
  std::string log_folder;  // exists; worker K prints into log_folder/K.log
  size_t max_log_bytes = 4 << 20;
  // Exit statuses after which starting again is no use: bad command line, and an environment that does not fit the run.
  std::vector<int> hopeless_exit_statuses = {2, 3};
  RestartLimits limits;
};

// Thread-safe. One thread of its own starts, reads, reaps and restarts the children; they die with it, however this
// process ends. Every end of a worker is told on the console and counted in troupe_worker_restarts_total{worker="K"}.
class WorkerSupervisor {
 public:
  // `console` and `metrics` outlive it.
  WorkerSupervisor(WorkerSupervisorOptions options, Console* console, Metrics* metrics);
  // Stop with no grace.
  ~WorkerSupervisor();

  // OK, or why local workers cannot be kept alive: the program cannot be run, says that it is no use, or the limit of
  // restarts was reached.
  absl::Status health() const;

  // Where the first worker's log is and what it ends with: "runs/x/workers/0.log: \"…\"".
  std::string last_words() const;

  // No more restarts; workers that end within `grace` do so in peace, the others get SIGTERM, and two seconds later
  // SIGKILL. Returns when all are reaped.
  void Stop(absl::Duration grace);

 private:
  struct Worker;

  void Run();
  void StartDue(SteadyTime now);
  void ReadOutputs(absl::Duration patience);
  void ReapEnded(SteadyTime now);
  void OnEnd(Worker& worker, int wait_status, SteadyTime now);
  void EndAll(SteadyTime deadline);
  bool AnyRunning() const;
  std::string LogPath(int index) const;
  void Fail(const absl::Status& status);
  SteadyTime stop_deadline() const;

  const WorkerSupervisorOptions options_;
  Console& console_;
  Metrics& metrics_;
  RestartPolicy policy_;
  std::vector<std::unique_ptr<Worker>> workers_;  // the thread's alone
  mutable absl::Mutex mutex_;
  absl::Status health_ ABSL_GUARDED_BY(mutex_);
  std::string last_line_ ABSL_GUARDED_BY(mutex_);  // of worker 0
  // When those that still run are told to end; infinite future until Stop.
  SteadyTime stop_deadline_ ABSL_GUARDED_BY(mutex_) = SteadyTime::InfiniteFuture();
  NamedThread thread_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_LOCAL_WORKERS_WORKER_SUPERVISOR_H_
