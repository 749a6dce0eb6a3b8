// What people should know of the workers: who is there for nothing, and for whom all others wait.
//
// A shard is one worker's at a time, so workers beyond the number of shards collect nothing. In the deterministic modes a
// batch is full when the slowest worker has sent its part, so one on a busy machine sets the pace of the whole run.
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

// Not thread-safe. Time is passed in.
class WorkerWatch {
 public:
  // Told of only when they last for so long.
  static constexpr absl::Duration kIdleFor = absl::Seconds(5);
  static constexpr absl::Duration kSlowFor = absl::Seconds(10);
  // A worker is slow when a chunk takes it so many times as long as the median of the others, while the learner waits for
  // batches for at least this share of the time.
  static constexpr double kSlowRatio = 3;
  static constexpr double kWaitingShare = 0.25;
  // About so many of a worker's last chunks count; one with fewer is not judged.
  static constexpr int kChunks = 8;

  // How things stand.
  struct Workers {
    int connected = 0;
    int without_shard = 0;  // of those, while no shard is free
    int shards = 0;
    absl::Duration waited;  // by the learner for batches, so far
  };

  // `wait_for_all`: a slow worker holds the others up.
  explicit WorkerWatch(bool wait_for_all) : wait_for_all_(wait_for_all) {}

  // The worker of that host took `seconds` to collect a chunk, as it says itself.
  void Collected(const std::string& worker_id, const std::string& host, double seconds);
  void Remove(const std::string& worker_id);

  // The slowest worker's time for a chunk as a multiple of the others' median; 1 with fewer than two that can be judged.
  double slowest_ratio() const { return Slowest().ratio; }

  // Lines to tell people now, each once.
  std::vector<std::string> Look(const Workers& workers, SteadyTime now);

 private:
  struct Collecting {
    std::string host;
    double mean_seconds = 0;
    uint64_t chunks = 0;
  };
  struct Slow {
    std::string worker_id;
    double ratio = 1;
    double seconds = 0, others_seconds = 0;
  };

  Slow Slowest() const;
  void LookForIdle(const Workers& workers, SteadyTime now, std::vector<std::string>* lines);
  void LookForSlow(const Workers& workers, SteadyTime now, std::vector<std::string>* lines);

  const bool wait_for_all_;
  std::map<std::string, Collecting> collecting_;
  std::set<std::string> told_slow_;
  // Since when it is the slow one, and how long the learner had waited by then.
  std::string slow_;
  SteadyTime slow_since_;
  absl::Duration waited_before_;
  int idle_ = 0, told_idle_ = 0;
  SteadyTime idle_since_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_WORKER_WATCH_H_
