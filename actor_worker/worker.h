// The life of `actor_worker work`: find the learner, collect for it, come back when it was lost, leave when it says so.
//
//   DescribeRun ─► environment, policies ─► Register ─► weights and trajectory streams ─► leases ─► chunks ─► Drain
//        ▲                                     ▲                  │
//        └── another run: everything anew      └── NOT_FOUND      └── any other break: DescribeRun, then the same id
//
// Threads: the caller's (connecting, heartbeats, watchdog), gRPC's (reactions), one per rollout, one for evaluations.
#ifndef TROUPE_ACTOR_WORKER_WORKER_H_
#define TROUPE_ACTOR_WORKER_WORKER_H_

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "actor_worker/environments/registry/registry.h"
#include "actor_worker/rollout/worker_run.h"
#include "common/metrics/metrics.h"
#include "common/security/client_credentials.h"

namespace troupe {

struct WorkerOptions {
  std::string learner_address;  // "HOST:PORT"
  std::shared_ptr<const ClientCredentials> credentials = ClientCredentials::Plain();
  int rollout_threads = 1;
  int max_shards = 1024;  // most leases taken at once
  // The experiment may name programs, files and options of this machine (CheckMachineSettings).
  bool allow_machine_settings = false;
  // Without a word from the learner for this long the worker ends.
  absl::Duration give_up_after = absl::InfiniteDuration();
  // Between attempts: doubling from the first to the longest, with jitter. A learner that cannot be reached is looked
  // for at least every longest_search, so that it is found soon after its start; one that refused is left in peace for
  // longer.
  absl::Duration first_retry = absl::Milliseconds(100);
  absl::Duration longest_search = absl::Seconds(1);
  absl::Duration longest_retry = absl::Seconds(10);
  // How long a stopping worker waits for its last chunks to be taken, and an ending one for threads inside their
  // simulator.
  absl::Duration flush_timeout = absl::Seconds(5);
  absl::Duration end_timeout = absl::Seconds(10);
  // Connected for so long without a shard to collect, the worker says so. More than the learner waits for the others
  // that it expects.
  absl::Duration idle_notice = absl::Seconds(45);
  // Asked often; true: finish the chunks under way, send them, leave.
  std::function<bool()> stop_requested = [] { return false; };
  EnvironmentFinder find_environment = FindEnvironment;
  // Ends the process with the status RunWorker would have returned: a thread hangs in its simulator and cannot be
  // joined.
  std::function<void(int)> end_process = [](int status) { std::_Exit(status); };
};

// Exit statuses. A run of which not one shard fits the memory does not fit the worker either.
enum WorkerExit : int {
  kWorkerDone = 0,    // the run has ended, or asked to stop
  kWorkerGaveUp = 1,  // no learner for give_up_after
  // Other protocol version or environment spec, unknown environment, bad settings or such as touch this machine: trying
  // again is no use.
  kWorkerDoesNotFit = 3,
  kWorkerHangs = 4,  // every rollout thread hangs in its simulator
};

// Blocks until the worker's life is over. Why is on stderr.
int RunWorker(const WorkerOptions& options, Metrics* metrics);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_WORKER_H_
