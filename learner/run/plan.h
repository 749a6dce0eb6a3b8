// `learner plan`: what a run will take and what will hold it up, before it is begun.
#ifndef TROUPE_LEARNER_RUN_PLAN_H_
#define TROUPE_LEARNER_RUN_PLAN_H_

#include <functional>

#include "absl/status/status.h"
#include "learner/run/train_command.h"

namespace troupe {

// Prints it: the task (a worker beside this program is asked for it), batches, memory against what there is, advice
// (common/config/setting_advice.h), and what some updates of the run itself came to in a folder that is removed, with
// local workers, at least one; they may take `trial_seconds`, 0: none are made.
//
// Errors: those of CheckBeforeTraining; INVALID_ARGUMENT: the algorithm does not suit the environment; those of the
// worker; RESOURCE_EXHAUSTED: it does not fit the memory; CANCELLED: `stop_requested` said so.
absl::Status PlanRun(const TrainOptions& options, const Experiment& experiment, double trial_seconds,
                     const std::function<bool()>& stop_requested);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_PLAN_H_
