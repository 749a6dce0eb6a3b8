// Where a start of the learner takes up its run.
#ifndef TROUPE_LEARNER_RUN_RUN_START_H_
#define TROUPE_LEARNER_RUN_RUN_START_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "learner/checkpoint/checkpoint.h"
#include "learner/checkpoint/resume_check.h"
#include "learner/run/run_folder.h"
#include "proto/experiment.pb.h"

namespace troupe {

struct RunStart {
  // Where the run goes on, with the experiment it goes on under; when it begins, that and a new run id alone.
  Checkpoint checkpoint;
  bool resumed = false;
  ResumeChanges changes;  // since the checkpoint was written
};

// Looks for the newest checkpoint. A folder without one, in which nothing was kept, is begun in anew whatever was meant
// to be trained there; a folder that lost its checkpoints, or cannot show them, is left as it is until a person
// decides. What people should know is told in `lines`, also when it ends in an error. Errors: DATA_LOSS, UNIMPLEMENTED
// and those of files: as of CheckpointStore::LoadNewest, with what to do; DATA_LOSS also when there are no checkpoints
// and something else tells that there were. FAILED_PRECONDITION: as of CheckResumable; `fresh` and the folder holds a
// run.
absl::StatusOr<RunStart> FindRunStart(const RunFolder& folder, const Experiment& experiment, bool fresh,
                                      std::vector<std::string>* lines);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_RUN_START_H_
