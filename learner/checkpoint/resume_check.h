// Whether a run may go on under an experiment that is not quite the one it began with.
#ifndef TROUPE_LEARNER_CHECKPOINT_RESUME_CHECK_H_
#define TROUPE_LEARNER_CHECKPOINT_RESUME_CHECK_H_

#include "absl/status/status.h"
#include "proto/experiment.pb.h"

namespace troupe {

// Both complete (defaults written). Free to change: total_env_steps (it may only grow), evaluation, checkpoint,
// collection.unacknowledged_window, collection.lease_timeout_seconds and compute.device.
// Errors: FAILED_PRECONDITION naming every other field that differs, with both values.
absl::Status CheckResumable(const Experiment& began_with, const Experiment& now);

}  // namespace troupe

#endif  // TROUPE_LEARNER_CHECKPOINT_RESUME_CHECK_H_
