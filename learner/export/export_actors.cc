#include "learner/export/export_actors.h"

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/files/atomic_file.h"
#include "learner/checkpoint/checkpoint.h"
#include "learner/checkpoint/checkpoint_store.h"

namespace troupe {
namespace {

absl::StatusOr<std::string> FindCheckpoint(const std::string& run_folder, const std::string& checkpoint) {
  if (checkpoint != "best" && checkpoint != "last") return checkpoint;
  const std::string folder = run_folder + "/checkpoints";
  const CheckpointStore store(folder, 1);
  if (checkpoint == "best") {
    ASSIGN_OR_RETURN(const bool has_best, FileExists(store.best_path()));
    if (has_best) return store.best_path();
    return absl::NotFoundError(
        absl::StrCat(store.best_path(), " is not there: the run has no evaluation yet; try --checkpoint=last"));
  }
  ASSIGN_OR_RETURN(const auto numbered, store.List());
  if (numbered.empty()) return absl::NotFoundError(absl::StrCat("no checkpoint in ", folder));
  return numbered.back().second;
}

}  // namespace

absl::StatusOr<std::string> ExportActors(const std::string& run_folder, const std::string& checkpoint,
                                         const std::string& output) {
  ASSIGN_OR_RETURN(const std::string path, FindCheckpoint(run_folder, checkpoint));
  ASSIGN_OR_RETURN(const Checkpoint loaded, ReadCheckpoint(path));
  ASSIGN_OR_RETURN(const ActorFile actors, MakeActorFile(loaded));
  RETURN_IF_ERROR(WriteActorFile(output, actors));
  return absl::StrCat(output, ": actors of ", loaded.experiment.name(), " after update ", loaded.counters.update, " (",
                      loaded.counters.env_steps, " environment steps), from ", path);
}

}  // namespace troupe
