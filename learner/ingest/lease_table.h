// Who collects which shard: leases, their epochs and how far each has come.
//
// Nothing is given out before Open and after Close. A shard is free or leased to one worker. Each lease has an epoch,
// one above the shard's last; chunks of earlier epochs are refused. Leases end when their worker is removed or silent
// for too long, when the worker gives them up, and when a shard moves to a worker that has fewer; the shard's next
// lease goes on at the update that still misses its chunk.
//
// A lease may be a second worker's too, from its beginning on: what is collected for it is then the same, and the first
// to bring a chunk is heard (docs/scaling.md). It lasts as long as one of the two has it. Whoever is so far behind that
// the weights for its next chunk are no longer to be had loses its part.
//
// Time is passed in. Not thread-safe.
#ifndef TROUPE_LEARNER_INGEST_LEASE_TABLE_H_
#define TROUPE_LEARNER_INGEST_LEASE_TABLE_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/clock/steady_time.h"
#include "learner/ingest/shard_range.h"

namespace troupe {

struct LeaseTableOptions {
  int num_shards = 1;
  // A worker unheard for this long is removed.
  absl::Duration lease_timeout = absl::Seconds(20);
  // No lease is given before this many workers are connected or this long has passed since Open: shards are then spread
  // evenly from the start and none has to move (a moved shard starts a new epoch and with it other random streams).
  int expected_workers = 1;
  absl::Duration expected_workers_patience = absl::Seconds(30);
  // The shards given out here; the others are other learners'. Count 0: all.
  ShardRange own_shards;
  // A worker that lost its stream is removed after this long, if that is less than lease_timeout.
  absl::Duration reconnect_timeout = absl::InfiniteDuration();
  // Above 0: all leases end with every update whose number is a multiple of it, and none moves before.
  uint64_t lease_updates = 0;
  // So many shards may be two workers' at once.
  int speculative_leases = 0;
  // Chunks that one of the two may be behind.
  uint64_t max_behind = 0;
  // Shards move to where their chunks come sooner, rather than to who has fewer (ASYNCHRONOUS, where a worker is as
  // fast as it is and nobody waits for it).
  bool by_pace = false;
};

struct Lease {
  uint32_t shard = 0;
  uint32_t epoch = 0;
  uint64_t first_update = 0;  // the chunk with sequence s belongs to update first_update + s
};

// Something to tell a worker.
struct LeaseChange {
  enum class Kind { kGrant, kRevoke };
  Kind kind = Kind::kGrant;
  std::string worker_id;
  Lease lease;
};

class LeaseTable {
 public:
  // What a chunk's (worker, shard, epoch, sequence) is to the table.
  enum class Standing {
    kNext,          // the one the shard misses
    kDuplicate,     // dealt with before
    kOldLease,      // of a lease that has ended or is another worker's
    kUnknownShard,  // no such shard
    kUnknownLease,  // an epoch never given out
    kGap,           // a sequence beyond the next
  };

  explicit LeaseTable(LeaseTableOptions options);

  // From now on leases are given out: epochs above last_epochs [num_shards] (empty: from 1), updates from
  // `first_update`.
  void Open(const std::vector<uint32_t>& last_epochs, uint64_t first_update, SteadyTime now);

  // No more leases: those there are end, their workers are told, and chunks of theirs stand as kOldLease.
  void Close();
  bool is_open() const { return open_; }

  // A worker that takes up to `max_shards` leases, registered but not connected.
  void AddWorker(const std::string& worker_id, int max_shards, SteadyTime now);
  // Its leases are free at once.
  void RemoveWorker(const std::string& worker_id, SteadyTime now);
  bool HasWorker(const std::string& worker_id) const { return workers_.contains(worker_id); }
  // The worker has a stream; the leases it still holds are granted again with the same epoch.
  void Connect(const std::string& worker_id, SteadyTime now);
  // The stream is gone; the leases stay for reconnect_patience().
  void Disconnect(const std::string& worker_id, SteadyTime now);
  void Heard(const std::string& worker_id, SteadyTime now);
  // How long a worker that is disconnected keeps its leases.
  absl::Duration reconnect_patience() const { return std::min(options_.reconnect_timeout, options_.lease_timeout); }
  // Removes the workers unheard for lease_timeout, or disconnected for reconnect_patience(), and returns them.
  std::vector<std::string> Expire(SteadyTime now);

  // The worker gave its lease up. The shard is leased again after a delay that doubles with every failure since its
  // last chunk (100 ms … lease_timeout), to a worker that has not failed it since if there is one with room. False: not
  // a lease of this worker.
  bool FailLease(const std::string& worker_id, uint32_t shard, uint32_t epoch, SteadyTime now);

  // A shard that nobody seems able to collect: its lease failed kFirstFailures times in a row before this table saw any
  // chunk, or kLaterFailures times afterwards, on kFailedWorkers different workers or on all that are connected; or
  // twice as often on fewer. The waits between take 0.1 + 0.2 + … + 6.4 = 12.7 s, and with lease_timeout at 20 s
  // 12.7 + 12.8 + 7 · 20 = 166 s: a wrong setting shows soon, and a run that has trained rides out a file server's
  // restart.
  struct HopelessShard {
    uint32_t shard = 0;
    int failures = 0;
    int workers = 0;
  };
  static constexpr int kFirstFailures = 8, kLaterFailures = 16, kFailedWorkers = 3;
  // The first such shard; with `only_if_all`, only when all of this learner's shards are.
  std::optional<HopelessShard> FindHopeless(bool only_if_all) const;

  Standing Find(const std::string& worker_id, uint32_t shard, uint32_t epoch, uint64_t sequence) const;
  // The chunk of standing kNext has been dealt with; it was `worker_id`'s (empty: the only one's that has it leased).
  // If its worker has two or more leases more than another connected one with room, the shard moves there, with the
  // next epoch: between chunks, so none in the making for this update is lost.
  void Advance(uint32_t shard, SteadyTime now, const std::string& worker_id = "");
  // A chunk of standing kDuplicate was this worker's.
  void Repeat(uint32_t shard, const std::string& worker_id, uint64_t sequence);

  // Gives out what is free and returns everything to be told since the last call, in order.
  std::vector<LeaseChange> TakeChanges(SteadyTime now);

  // The update that misses this shard's chunk.
  uint64_t next_update(uint32_t shard) const {
    return shards_[shard].lease.first_update + shards_[shard].next_sequence;
  }
  std::vector<uint32_t> shards_of(const std::string& worker_id) const;
  // [num_shards]; of other learners' shards as given to Open.
  std::vector<uint32_t> last_epochs() const;
  int num_leased() const { return num_leased_; }
  // Of those, the ones that two workers have.
  int num_leased_twice() const { return num_leased_twice_; }
  int num_connected() const { return num_connected_; }
  // Connected workers without a lease, while no shard is free.
  int num_idle() const;
  bool connected(const std::string& worker_id) const;

 private:
  struct Worker {
    uint64_t order = 0;  // of registration
    int max_shards = 1;
    bool connected = false;
    bool lost_stream = false;  // it had one
    SteadyTime last_heard;
    std::set<uint32_t> shards;  // that it has leased, alone or with another
    // By pace: since `shards` last changed, the newest chunk, how many followed the first, and their mean distance.
    SteadyTime last_chunk = SteadyTime::InfinitePast();
    int chunks = 0;
    double chunk_seconds = 0;
    bool known = false;  // there were once enough of them
  };
  // Who has a lease, and the sequence of the chunk that it brings next.
  struct Holder {
    std::string worker_id;  // empty: nobody
    uint64_t brings = 0;
  };
  struct Shard {
    Lease lease;           // the current one, or the last when free; epoch 0: none yet
    Holder first, second;  // the latter only with the former
    uint64_t next_sequence = 0;
    double late = 0;                       // about how often others waited for it lately
    int failures = 0;                      // since the last chunk
    std::set<std::string> failed_workers;  // since then, of those still there
    std::string last_failed;
    SteadyTime not_before = SteadyTime::InfinitePast();
  };

  static bool Has(const Shard& shard, const std::string& worker_id) {
    return shard.first.worker_id == worker_id || shard.second.worker_id == worker_id;
  }
  void Free(Shard& shard);
  // Free, and those who have it are told.
  void End(Shard& shard);
  void Give(Shard& shard, const std::string& worker_id);
  // The lease stays the other worker's, if there is one.
  void Drop(Shard& shard, const std::string& worker_id);
  // The leases of begun_, to a second worker each where one has room.
  void GiveSeconds();
  // Whether it is among the speculative_leases shards that others waited for most.
  bool IsWaitedFor(const Shard& shard) const;
  // Counts who was waited for, and drops who is too far behind.
  void WatchLate(Shard& shard);
  // Where the shard, of which a chunk has come, had better be; empty: where it is.
  std::string BetterPlace(const Shard& shard, SteadyTime now);
  std::string FasterWorker(const std::string& holder, SteadyTime now);
  // Around whatever changes whether a worker is connected or how many leases it has.
  template <typename Change>
  void ChangeWorker(const std::string& worker_id, const Change& change);
  void OpenGate(SteadyTime now);
  bool IsHopeless(const Shard& shard) const;
  // The connected worker with room and the fewest leases, first registered of equals; one of `avoided` only when there
  // are no others, `avoided_most` only when it is the only one.
  const std::string* LeastLoaded(const std::set<std::string>& avoided, const std::string& avoided_most) const;

  const LeaseTableOptions options_;
  bool open_ = false;
  bool gate_open_ = false;
  bool advanced_ = false;  // some shard's chunk came
  SteadyTime opened_at_;
  uint64_t workers_seen_ = 0;
  int num_connected_ = 0;
  int num_leased_ = 0, num_leased_twice_ = 0;
  std::map<std::string, Worker> workers_;
  std::vector<Shard> shards_;
  // What would otherwise be looked for among all workers and all shards.
  std::set<uint32_t> free_;     // own shards without a lease
  std::set<uint32_t> failing_;  // shards with failed_workers
  std::set<uint32_t> begun_;    // to be leased twice, one worker's so far, and without a chunk
  // With speculative_leases: of updates that miss a chunk and have one, how many they have.
  std::map<uint64_t, int> arrived_;
  struct Load {
    size_t leases;
    uint64_t order;
    std::string worker_id;
    auto operator<=>(const Load&) const = default;
  };
  std::set<Load> with_room_;  // connected workers that take another lease
  std::vector<LeaseChange> changes_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_INGEST_LEASE_TABLE_H_
