// What a run leaves for people beside its checkpoints, each kept to the policy it is named for:
//
//   actors/best.safetensors           the best policy by evaluation; says what it is best by
//   actors/final.safetensors          the policy as training left it
//   evaluation.txt, evaluation.json   the final policy against the baselines
//
// A run that goes on has no final policy yet: what an earlier leg left is renamed to
// actors/final-after-S-steps.safetensors and evaluation-after-S-steps.*; a best policy that can be compared no longer
// to best-of-update-U.safetensors.
#ifndef TROUPE_LEARNER_RUN_RUN_RESULTS_H_
#define TROUPE_LEARNER_RUN_RUN_RESULTS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "learner/checkpoint/checkpoint.h"
#include "learner/run/run_folder.h"

namespace troupe {

// Sets start->counters.best to what the best files themselves say: after a crash a checkpoint may tell of another best
// than is on disk. `start` has the environment and the experiment the run goes on with. When evaluations come about
// otherwise now (EvaluationBasis), the old best is renamed and nothing is best yet. What people should know is told in
// `lines`. Errors: those of CheckpointStore::LoadBest that are no damage; those of files.
absl::Status TakeUpBest(const RunFolder& folder, Checkpoint* start, std::vector<std::string>* lines);

// Writes the actors of `checkpoint` to actors/NAME.safetensors unless they are there. Errors as of WriteActorFile.
absl::Status KeepActors(const RunFolder& folder, const std::string& name, const Checkpoint& checkpoint);

// As actors/final.safetensors. DATA_LOSS naming the file and the update it is not of.
absl::Status KeepFinalActors(const RunFolder& folder, const Checkpoint& checkpoint);

// The whole table is there and of the policy at `counters`.
bool HasFinalTable(const RunFolder& folder, const RunCounters& counters);

// Renames what there is of final actors and table and not of the policy at `final_counters` (null: all), and tells so.
// Errors: those of files.
absl::Status SetFinalResultsAside(const RunFolder& folder, const RunCounters* final_counters,
                                  std::vector<std::string>* lines);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_RUN_RESULTS_H_
