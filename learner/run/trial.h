// Some updates of a run, made to be measured.
#ifndef TROUPE_LEARNER_RUN_TRIAL_H_
#define TROUPE_LEARNER_RUN_TRIAL_H_

#include <functional>

#include "absl/status/statusor.h"
#include "learner/run/train_command.h"

namespace troupe {

// Means over the updates but the first, which waits for workers to begin.
struct TrialFigures {
  int updates = 0;
  double seconds = 0;         // of one update, from one to the next
  double wait_seconds = 0;    // of it, the training thread waited for a batch
  double update_seconds = 0;  // of it, it trained
};

// What metrics.jsonl in `folder` says; `updates` is 0 where fewer than two are there.
TrialFigures ReadTrial(const std::string& folder);

// A learner of its own trains the experiment's first updates with options.local_workers, at least one, in a temporary
// folder, for `seconds` at most. Errors: those of files and processes; INTERNAL with its last line where it failed;
// CANCELLED: `stop_requested` said so.
absl::StatusOr<TrialFigures> MakeTrial(const TrainOptions& options, const Experiment& experiment, double seconds,
                                       const std::function<bool()>& stop_requested);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_TRIAL_H_
