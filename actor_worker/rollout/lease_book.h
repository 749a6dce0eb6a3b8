// What a worker owes the learner: the leases it holds, the chunks it has collected and not seen acknowledged, the
// failures and evaluation results it has to report. Rollout threads, the stream and the session meet here and nowhere
// else.
//
//   learner ─ Grant, Revoke, Acknowledge ─►  LeaseBook  ◄─ TakeWork, Submit, Fail ─ rollout threads
//                                               │
//                                               └─ BeginStream, NextMessage ─► trajectory stream
#ifndef TROUPE_ACTOR_WORKER_ROLLOUT_LEASE_BOOK_H_
#define TROUPE_ACTOR_WORKER_ROLLOUT_LEASE_BOOK_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "actor_worker/acting/policy_store.h"
#include "common/clock/steady_time.h"
#include "proto/experiment.pb.h"
#include "proto/training_service.pb.h"

namespace troupe {

// One lease, from its grant to its end; a shard leased again is another one.
struct HeldLease {
  uint32_t shard = 0;
  uint32_t lease_epoch = 0;
  uint64_t first_update = 0;
  uint64_t oldest_version = 0;
  int thread = 0;                  // the rollout thread that collects it
  std::atomic<bool> gone = false;  // what is still collected for it is for nothing
};

// The version that must collect chunk `sequence`; empty: the newest there is (ASYNCHRONOUS). See LeaseGrant in
// proto/training_service.proto.
std::optional<uint64_t> RequiredVersion(CollectionMode mode, const HeldLease& lease, uint64_t sequence);

// One chunk to collect.
struct RolloutWork {
  std::shared_ptr<HeldLease> lease;
  uint64_t sequence = 0;
  std::shared_ptr<const PolicySnapshot> weights;
};

// Thread-safe. Calls nobody back, so it may be used from gRPC reactions. Lock order: LeaseBook before PolicyStore.
class LeaseBook {
 public:
  struct Options {
    CollectionMode mode = PIPELINED;
    int unacknowledged_window = 2;  // chunks per shard sent or waiting to be, the one being collected included
    int rollout_threads = 1;
    int max_leases = 1024;  // a grant beyond is answered with a LeaseFailure
  };
  explicit LeaseBook(const Options& options);

  // A grant that is held already, or whose failure is yet to be heard, changes nothing (a learner may repeat it after a
  // reconnect). Otherwise the shard goes to the thread with the fewest leases; an older lease of the shard is over.
  void Grant(const wire::LeaseGrant& grant) ABSL_LOCKS_EXCLUDED(mutex_);
  void Revoke(const wire::LeaseRevoke& revoke) ABSL_LOCKS_EXCLUDED(mutex_);
  // Forgets the chunk, whatever the result; OLD_LEASE ends the lease too. Returns how long ago the chunk was collected;
  // empty for an unknown one.
  std::optional<absl::Duration> Acknowledge(const wire::Acknowledgement& acknowledgement) ABSL_LOCKS_EXCLUDED(mutex_);

  // The next chunk `thread` can collect: a lease of its own with room in its window and its version in `store`, the one
  // furthest behind first. Empty when there is none.
  std::optional<RolloutWork> TakeWork(int thread, const PolicyStore& store) ABSL_LOCKS_EXCLUDED(mutex_);
  // Queues a collected chunk. Does nothing when the lease is gone.
  void Submit(const HeldLease& lease, std::shared_ptr<const wire::WorkerMessage> chunk) ABSL_LOCKS_EXCLUDED(mutex_);
  // Gives the lease up and reports why. Chunks collected before stay to be sent: they are good.
  void Fail(const HeldLease& lease, const std::string& error) ABSL_LOCKS_EXCLUDED(mutex_);
  // The thread does not come back: fails all its leases and gives it no more. False: it was the last one.
  bool RetireThread(int thread, const std::string& error) ABSL_LOCKS_EXCLUDED(mutex_);
  // TakeWork gives nothing any more.
  void StopWork() ABSL_LOCKS_EXCLUDED(mutex_);

  void AddEvaluationResult(wire::EvaluationResult result) ABSL_LOCKS_EXCLUDED(mutex_);

  // A new stream begins: everything unacknowledged is to be sent again, in the order it was collected. Returns the
  // number of chunks that had been sent before.
  int BeginStream() ABSL_LOCKS_EXCLUDED(mutex_);
  // What to send next, or null: evaluation results, then chunks and failures in the order they came about.
  std::shared_ptr<const wire::WorkerMessage> NextMessage() ABSL_LOCKS_EXCLUDED(mutex_);
  // The stream was refused with INVALID_ARGUMENT: gives up the lease of the oldest chunk sent and not acknowledged,
  // with its chunks. Returns what it gave up in words, or "" when no chunk was under way.
  std::string FailOldestSent(const std::string& error) ABSL_LOCKS_EXCLUDED(mutex_);

  // The learner knows nothing of this worker any more: forgets all.
  void Clear() ABSL_LOCKS_EXCLUDED(mutex_);

  int num_leases() const ABSL_LOCKS_EXCLUDED(mutex_);
  int num_unacknowledged() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Nothing is being collected, waits to be sent or to be acknowledged.
  bool Idle() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Outgoing {
    std::shared_ptr<const wire::WorkerMessage> message;
    uint64_t order = 0;  // of collection, over all shards
    SteadyTime since;    // collected
    bool sent = false;   // on the present stream
    bool sent_before = false;
  };
  struct Entry {
    std::shared_ptr<HeldLease> lease;
    uint64_t next_sequence = 0;
    bool collecting = false;
    bool given_up = false;  // failed: only its chunks are left to be acknowledged
    std::deque<Outgoing> unacknowledged;
  };

  // Null when (shard, lease_epoch) is not the shard's present lease.
  Entry* Find(uint32_t shard, uint32_t lease_epoch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void End(uint32_t shard) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void GiveUp(Entry& entry, const std::string& error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Report(uint32_t shard, uint32_t lease_epoch, const std::string& error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int ThreadWithFewestLeases() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Outgoing* OldestUnsent() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  mutable absl::Mutex mutex_;
  std::map<uint32_t, Entry> entries_ ABSL_GUARDED_BY(mutex_);  // by shard
  // By shard, kept until the learner revokes that lease or grants the shard anew: a failure is not acknowledged, so
  // every new stream repeats it.
  std::map<uint32_t, Outgoing> failures_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::shared_ptr<const wire::WorkerMessage>> results_ ABSL_GUARDED_BY(mutex_);
  std::vector<bool> retired_ ABSL_GUARDED_BY(mutex_);  // [rollout_threads]
  uint64_t next_order_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ROLLOUT_LEASE_BOOK_H_
