// Whether a learner that has lost the other ranks of its run waits for them and goes on with them, in the same process:
// what was lost may be a process that its supervisor starts again.
#ifndef TROUPE_LEARNER_RUN_RANK_REJOIN_H_
#define TROUPE_LEARNER_RUN_RANK_REJOIN_H_

#include <cstdint>
#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock/steady_time.h"
#include "common/threads/shutdown.h"
#include "learner/run/train_command.h"
#include "proto/experiment.pb.h"

namespace troupe {

// What became of one time together.
struct TimeTogether {
  absl::Status status;                 // what it ended with
  bool joined = false;                 // the ranks had found each other
  bool lost = false;                   // and it ended because some are gone or ended the run
  std::optional<uint64_t> began_with;  // the update it began with or went on from, if it came so far
};

// Not thread-safe.
class RankRejoin {
 public:
  // Times together in a row that went on from the same update: more of them, and something is wrong that waiting does
  // not mend.
  static constexpr int kMostWithoutProgress = 10;

  // `patience`: how long after a loss the ranks are waited for; 0: not at all.
  explicit RankRejoin(absl::Duration patience) : patience_(patience) {}

  // Whether to come together again after this.
  bool Again(const TimeTogether& time, SteadyTime now);
  // While coming together again: how long to wait for the others, a second at least. Nothing: it is the first time.
  std::optional<absl::Duration> WaitFor(SteadyTime now) const;
  // How often Again said so after a loss.
  int count() const { return count_; }

 private:
  const absl::Duration patience_;
  int count_ = 0;
  int without_progress_ = 0;
  std::optional<uint64_t> began_with_;  // the last time
  std::optional<SteadyTime> deadline_;  // of the waiting under way
};

// One time together of this process: trains to the end, until `shutdown` or until the other ranks are lost. `again`:
// the options for another time, which listens where this one did.
TimeTogether TrainTogether(const TrainOptions& options, const Experiment& experiment, ShutdownSignal* shutdown,
                           TrainOptions* again);

// Calls `act` until it is not UNAVAILABLE, for `patience` at most: a port that this process gave back a moment ago.
absl::Status RetryWhileUnavailable(absl::Duration patience, const std::function<absl::Status()>& act);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_RANK_REJOIN_H_
