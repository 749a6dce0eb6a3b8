// What people should know of the workers: who is there for nothing, and for whom all others wait.
//
// A shard is one worker's at a time, so workers beyond the number of shards collect nothing. In the deterministic modes
// a batch is full when the slowest worker has sent its part, so one on a busy machine sets the pace of the whole run.
#ifndef TROUPE_LEARNER_SERVICE_WORKER_WATCH_H_
#define TROUPE_LEARNER_SERVICE_WORKER_WATCH_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/clock/steady_time.h"

namespace troupe {

// Not thread-safe. Time is passed in; that of Look may be another clock's than that of Begin and Came.
class WorkerWatch {
 public:
  // Told of only when they last for so long.
  static constexpr absl::Duration kIdleFor = absl::Seconds(5);
  static constexpr absl::Duration kSlowFor = absl::Seconds(10);
  // A worker is slow when a chunk of it takes so many times as long as the median of the others, while for this share
  // of the time at least half of the others have sent their parts of a batch and it has not. Both, as one with more
  // shards is late and yet as fast as the others, and one with fewer rollout threads takes longer for a chunk and is
  // not late.
  static constexpr double kSlowRatio = 3;
  static constexpr double kLateShare = 0.25;
  // About so many of a worker's last batches count; one with fewer is not judged.
  static constexpr int kBatches = 8;

  // How things stand.
  struct Workers {
    int connected = 0;
    int without_shard = 0;  // of those, while no shard is free
    int shards = 0;
  };

  // `shards`: as many chunks make a batch.
  explicit WorkerWatch(int shards) : shards_(shards) {}

  // Chunks for the batch of `update` can be collected from now on.
  void Begin(uint64_t update, SteadyTime now);
  // One of the worker's chunks for it has come.
  void Came(uint64_t update, const std::string& worker_id, const std::string& host, SteadyTime now);
  void Remove(const std::string& worker_id);

  // The slowest worker's mean time for a chunk, from when it could be collected until it was here, as a multiple of the
  // others' median; 1 with fewer than two that can be judged.
  double slowest_ratio() const { return Slowest().ratio; }

  // Lines to tell people now, each once.
  std::vector<std::string> Look(const Workers& workers, SteadyTime now);

 private:
  // A batch on its way.
  struct Batch {
    SteadyTime began;
    int chunks = 0;
    struct Part {
      int chunks = 0;
      SteadyTime last;
    };
    std::map<std::string, Part> parts;  // by worker
  };
  struct Worker {
    std::string host;
    uint64_t batches = 0;
    double chunk_seconds = 0;  // mean
    absl::Duration late;       // after half of the others, summed up over batches
  };
  struct Slow {
    std::string worker_id;
    double ratio = 1;
    double seconds = 0, others_seconds = 0;
  };

  void Judge(const Batch& batch);
  Slow Slowest() const;
  void LookForIdle(const Workers& workers, SteadyTime now, std::vector<std::string>* lines);
  void LookForSlow(SteadyTime now, std::vector<std::string>* lines);

  const int shards_;
  std::map<uint64_t, Batch> batches_;  // by update, few
  std::map<std::string, Worker> workers_;
  std::set<std::string> told_slow_;
  // Since when it is the slow one, and how late it had been by then.
  std::string slow_;
  SteadyTime slow_since_;
  absl::Duration late_before_;
  int idle_ = 0, told_idle_ = 0;
  SteadyTime idle_since_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_WORKER_WATCH_H_
