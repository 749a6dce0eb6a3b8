// "Something may have changed": a counter that threads can wait on without losing an event between looking and waiting.
//
//   const uint64_t seen = wake_up.count();
//   if (nothing to do) wake_up.WaitPast(seen, timeout);
#ifndef TROUPE_ACTOR_WORKER_ROLLOUT_WAKE_UP_H_
#define TROUPE_ACTOR_WORKER_ROLLOUT_WAKE_UP_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/threads/timed_wait.h"

namespace troupe {

// Thread-safe. Never calls out, so Notify may be called under any lock.
class WakeUp {
 public:
  uint64_t count() const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return count_;
  }
  void Notify() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    ++count_;
  }
  // Returns once Notify was called after count() gave `seen`, or the timeout passed.
  void WaitPast(uint64_t seen, absl::Duration timeout) const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    auto moved_on = [this, seen]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return count_ != seen; };
    AwaitFor(mutex_, absl::Condition(&moved_on), timeout);
  }

 private:
  mutable absl::Mutex mutex_;
  uint64_t count_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ROLLOUT_WAKE_UP_H_
