// Which of a run's learners (ranks) a worker is to serve, so that it need know the address of one of them only.
//
// Rank 0 knows what all ranks have and decides; the others send on to it who comes to them first. A rank's load is its
// workers' capacity over its shards: a worker that takes up to m shards is min(m, shards) / shards of a worker, so a
// rank with a load of 2 could have each of its shards collected by either of two. A worker goes where the load is
// least, to the first such rank. Where workers have gone since, the rank with most gives one back, which registers
// anew.
//
// What ranks have comes with the training threads' agreement (Report, Take). Thread-safe; calls nobody.
#ifndef TROUPE_LEARNER_SERVICE_RANK_DIRECTORY_H_
#define TROUPE_LEARNER_SERVICE_RANK_DIRECTORY_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/clock/steady_time.h"

namespace troupe {

// What one rank has, as it tells the others.
struct RankLoad {
  double capacity = 0;  // shards that its workers take, none counted with more than the rank has
  double arrivals = 0;  // workers that were sent to it and have come, since it listens

  static constexpr int kNumbers = 2;
};

class RankDirectory {
 public:
  // Sent on this often a worker is served where it comes: from any rank to rank 0, from there to its own.
  static constexpr uint32_t kMostRedirects = 2;
  // A worker that was sent somewhere and has not come for so long is not coming.
  static constexpr absl::Duration kTravelTime = absl::Seconds(30);
  // How long the same rank has to have too many workers before it gives one back.
  static constexpr absl::Duration kReleasePatience = absl::Seconds(10);

  RankDirectory(int rank, int size, int num_shards);

  // Where each rank's workers connect; empty: nobody is sent there. Before that nobody is sent anywhere.
  void SetAddresses(std::vector<std::string> addresses) ABSL_LOCKS_EXCLUDED(mutex_);

  // Where a worker that takes up to `max_shards` shards and was sent on `redirects` times is to go; empty: it stays.
  std::string Place(int max_shards, uint32_t redirects, SteadyTime now) ABSL_LOCKS_EXCLUDED(mutex_);

  // What a worker's capacity is here.
  int CapacityOf(int max_shards) const;
  // What this rank has by now. `smallest`: the least capacity of a worker that could be given back; 0: there is none.
  void SetOwn(const RankLoad& load, int smallest) ABSL_LOCKS_EXCLUDED(mutex_);

  // What this rank has, for the others; then what all have, in the order of ranks [size].
  RankLoad Report() const ABSL_LOCKS_EXCLUDED(mutex_);
  void Take(absl::Span<const RankLoad> loads, SteadyTime now) ABSL_LOCKS_EXCLUDED(mutex_);

  // True once for each worker that this rank is to give back.
  bool TakeRelease() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Traveller {
    double load = 0;
    SteadyTime sent;
  };
  struct Rank {
    int shards = 1;
    std::string address;
    RankLoad load;
    std::deque<Traveller> travellers;  // sent by this rank, not there yet
  };
  // Of one rank; more than may be registered with a learner are not kept count of.
  static constexpr size_t kMostTravellers = 16384;

  static int ShardsOf(int rank, int size, int num_shards);
  static void DropLate(Rank* rank, SteadyTime now);
  double LoadOf(const Rank& rank) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  bool HasTooMany() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  const int own_;
  const int own_shards_;
  mutable absl::Mutex mutex_;
  std::vector<Rank> ranks_ ABSL_GUARDED_BY(mutex_);
  bool known_ ABSL_GUARDED_BY(mutex_) = false;  // addresses are
  int smallest_ ABSL_GUARDED_BY(mutex_) = 0;
  SteadyTime too_many_since_ ABSL_GUARDED_BY(mutex_) = SteadyTime::InfiniteFuture();
  bool release_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_RANK_DIRECTORY_H_
