// The newest policy weights a worker was sent.
#ifndef TROUPE_ACTOR_WORKER_ACTING_POLICY_STORE_H_
#define TROUPE_ACTOR_WORKER_ACTING_POLICY_STORE_H_

#include <cstdint>
#include <deque>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/base/policy_snapshot.h"

namespace troupe {

// Keeps two versions, or as many as it is told. Two are enough for the deterministic modes: while a shard still owes
// the chunk of update u, the learner cannot train u, so the newest version is at most u, and the chunk asks for u − 1
// or u. Where two workers collect a shard, one may fall behind (common/config/lease_settings.h). Thread-safe; snapshots
// handed out stay valid and unchanged.
class PolicyStore {
 public:
  explicit PolicyStore(int versions_kept = 2) : versions_kept_(versions_kept) {}

  // Takes `weights` in if they are newer than what is there; older and equal versions are ignored. Returns whether they
  // were taken.
  bool Publish(std::shared_ptr<const PolicySnapshot> weights) ABSL_LOCKS_EXCLUDED(mutex_);

  // Exactly that version, or null.
  std::shared_ptr<const PolicySnapshot> Find(uint64_t policy_version) const ABSL_LOCKS_EXCLUDED(mutex_);

  // Null before the first.
  std::shared_ptr<const PolicySnapshot> Newest() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Forgets everything: after a learner's restart versions may begin lower.
  void Clear() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const size_t versions_kept_;
  mutable absl::Mutex mutex_;
  std::deque<std::shared_ptr<const PolicySnapshot>> kept_ ABSL_GUARDED_BY(mutex_);  // oldest first
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_POLICY_STORE_H_
