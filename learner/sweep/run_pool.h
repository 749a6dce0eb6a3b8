// Child processes, some at a time, each with a log of its own, none left when it returns.
#ifndef TROUPE_LEARNER_SWEEP_RUN_POOL_H_
#define TROUPE_LEARNER_SWEEP_RUN_POOL_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace troupe {

struct PooledRun {
  std::vector<std::string> command;
  std::string log_path;  // what it prints; its folder exists
};

struct RunPoolLimits {
  int parallel = 1;
  absl::Duration run = absl::InfiniteDuration();  // after which a run is told to end, and has failed
  absl::Duration grace = absl::Minutes(1);        // from SIGTERM to SIGKILL
  size_t log_bytes = 4 << 20;                     // see WorkerLog
};

// Called by RunAll, in its thread; `index` counts the runs.
struct RunPoolEvents {
  std::function<void(size_t index)> started;
  // OK: it exited with 0. DEADLINE_EXCEEDED: it took too long. INTERNAL: how it ended, with its last line.
  std::function<void(size_t index, const absl::Status& status)> ended;
  // Now and then, with the last lines of those that run.
  std::function<void(const std::vector<std::pair<size_t, std::string>>& last_lines)> progress;
};

// Runs all in order. Once `stop_requested`, none is begun any more, those that run get SIGTERM and, after the grace,
// SIGKILL. The children die with this thread, however that ends. CANCELLED when it was asked to stop.
absl::Status RunAll(const std::vector<PooledRun>& runs, const RunPoolLimits& limits, const RunPoolEvents& events,
                    const std::function<bool()>& stop_requested);

}  // namespace troupe

#endif  // TROUPE_LEARNER_SWEEP_RUN_POOL_H_
