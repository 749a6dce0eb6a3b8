// When a worker that ended may be started again.
#ifndef TROUPE_LEARNER_LOCAL_WORKERS_RESTART_POLICY_H_
#define TROUPE_LEARNER_LOCAL_WORKERS_RESTART_POLICY_H_

#include <deque>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock/steady_time.h"

namespace troupe {

struct RestartLimits {
  absl::Duration first_delay = absl::Seconds(1);  // doubles with every end of the same worker …
  absl::Duration longest_delay = absl::Seconds(30);
  absl::Duration calm = absl::Minutes(1);  // … until it has lived this long
  int max_restarts = 100;                  // of all workers together within `window`
  absl::Duration window = absl::Hours(1);
};

// Not thread-safe; knows time only as told.
class RestartPolicy {
 public:
  RestartPolicy(int num_workers, const RestartLimits& limits) : limits_(limits), delays_(num_workers) {}

  // How long to wait before worker `index`, started at `started` and ended at `now`, is started again.
  // RESOURCE_EXHAUSTED when max_restarts is used up.
  absl::StatusOr<absl::Duration> OnEnd(int index, SteadyTime started, SteadyTime now);

 private:
  const RestartLimits limits_;
  std::vector<absl::Duration> delays_;  // given last, per worker
  std::deque<SteadyTime> restarts_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_LOCAL_WORKERS_RESTART_POLICY_H_
