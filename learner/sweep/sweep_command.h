// `learner sweep`: experiments × rows × seeds, each run a `learner train` of its own, and what came of them.
//
//   DIR/EXPERIMENT/ROW/seedN/             a run folder as any (learner/run/run_folder.h)
//   DIR/EXPERIMENT/ROW/seedN.textproto    its complete experiment, as `learner train` gets it
//   DIR/EXPERIMENT/ROW/seedN.log          what that printed
//   DIR/table.txt                         the table, as printed
//   DIR/results.json, DIR/scores.json     see sweep_files.h
#ifndef TROUPE_LEARNER_SWEEP_SWEEP_COMMAND_H_
#define TROUPE_LEARNER_SWEEP_SWEEP_COMMAND_H_

#include "absl/status/status.h"
#include "common/threads/shutdown.h"
#include "learner/sweep/sweep_plan.h"

namespace troupe {

// Skips what is finished, goes on with what is half-done, begins the rest; files and table are written at the end,
// whatever ended it, of the runs that are finished. A run that fails is told of and does not end the others. OK also
// when asked to stop. Errors, before anything is started: those of PlanSweep and FindRunState; INVALID_ARGUMENT: a
// worker of this machine says that it cannot play an experiment, or that it knows no such statistic. Afterwards: those
// of files; ABORTED: some runs failed.
absl::Status RunSweep(const SweepOptions& options, ShutdownSignal* shutdown);

}  // namespace troupe

#endif  // TROUPE_LEARNER_SWEEP_SWEEP_COMMAND_H_
