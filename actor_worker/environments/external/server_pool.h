// Environment servers that nobody uses at the moment, kept for whoever wants the same next: evaluations and leases come
// again and again, and starting a server costs more than many a step of it.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_SERVER_POOL_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_SERVER_POOL_H_

#include <list>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "actor_worker/environments/external/environment_server.h"
#include "common/clock/steady_time.h"

namespace troupe {

// Thread-safe.
class ServerPool {
 public:
  // The process's own.
  static ServerPool& Get();

  // At most `most` servers, each for at most `longest` (looked at whenever the pool is used).
  ServerPool(size_t most, absl::Duration longest) : most_(most), longest_(longest) {}

  // One of exactly these options that has been greeted, or null.
  std::unique_ptr<EnvironmentServer> Take(const EnvironmentServer::Options& options);
  // Of servers that work. The one that has waited longest ends where there are too many.
  void Give(std::unique_ptr<EnvironmentServer> server);

 private:
  struct Waiting {
    std::unique_ptr<EnvironmentServer> server;
    SteadyTime since;
  };
  // Those that end; their processes are waited for without the lock.
  std::list<Waiting> TakeOld() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t most_;
  const absl::Duration longest_;
  absl::Mutex mutex_;
  std::list<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);  // the longest first
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_SERVER_POOL_H_
