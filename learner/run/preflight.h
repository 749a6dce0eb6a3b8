// Before anything is written or started: whether what a run needs at its end is there.
#ifndef TROUPE_LEARNER_RUN_PREFLIGHT_H_
#define TROUPE_LEARNER_RUN_PREFLIGHT_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "learner/run/train_command.h"

namespace troupe {

// Asks `actor_worker evaluate --check_only`, which knows the environments, about the experiment: its environment and
// settings, evaluation.best_by, evaluation.baselines; and looks whether the run's folder can be written. Returns why
// the final table cannot be played on this machine ("" when it can): workers elsewhere may have the simulator it lacks.
//
// Errors: INVALID_ARGUMENT naming the field of the experiment or the option, with the nearest that there is.
// FAILED_PRECONDITION: local workers are asked for, and cannot play here. NOT_FOUND: no actor_worker beside the
// learner. CANCELLED: `stop_requested` said so.
absl::StatusOr<std::string> CheckBeforeTraining(const TrainOptions& options, const Experiment& experiment,
                                                const std::function<bool()>& stop_requested);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_PREFLIGHT_H_
