#include "learner/run/run_start.h"

#include <optional>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"
#include "common/files/atomic_file.h"
#include "learner/checkpoint/checkpoint_store.h"
#include "learner/reporting/banner.h"

namespace troupe {
namespace {

std::string NewRunId() {
  std::random_device entropy;
  return absl::StrFormat("%08x%08x", entropy(), entropy());
}

// A file that is only there once there was a checkpoint, or "".
absl::StatusOr<std::string> TraceOfCheckpoints(const RunFolder& folder) {
  for (const char* name : {"last", "best", "final"}) {
    const std::string path = folder.File(absl::StrCat("actors/", name, ".safetensors"));
    ASSIGN_OR_RETURN(const bool exists, FileExists(path));
    if (exists) return path;
  }
  return std::string();
}

absl::StatusOr<std::optional<Checkpoint>> FindCheckpoint(const RunFolder& folder, std::vector<std::string>* lines) {
  const CheckpointStore store(folder.File("checkpoints"), 1);
  if (folder.run_id().empty()) {
    ASSIGN_OR_RETURN(const auto numbered, store.List());
    if (!numbered.empty()) {
      return absl::DataLossError(
          absl::StrCat(folder.File("run_id"), " is missing or empty, so nothing tells whose the ", numbered.size(),
                       " checkpoints are (`learner inspect ", numbered.back().second, "` shows their run_id)"));
    }
  }
  std::vector<std::string> passed_over;
  absl::StatusOr<std::optional<Checkpoint>> newest = store.LoadNewest(folder.run_id(), &passed_over);
  for (const std::string& line : passed_over) lines->push_back("warning: " + line);
  if (!newest.ok()) return newest.status();
  if (newest->has_value()) {
    if (!passed_over.empty()) {
      lines->push_back(absl::StrCat("warning: the run goes on from the older checkpoint of update ",
                                    (*newest)->counters.update, "; updates after it are made again"));
    }
    return newest;
  }
  ASSIGN_OR_RETURN(const std::string trace, TraceOfCheckpoints(folder));
  if (trace.empty()) return std::optional<Checkpoint>();
  return absl::DataLossError(
      absl::StrCat("there is no checkpoint in ", folder.File("checkpoints"), ", but there was: ", trace));
}

// Writes over how many steps schedules run: those the run began with, also where it is made longer later. Without
// `began_with` it begins now.
void ResolveSchedule(const Experiment* began_with, Experiment* experiment, std::vector<std::string>* lines) {
  if (!experiment->has_ppo() || experiment->ppo().schedule_env_steps() != 0) return;
  uint64_t span = experiment->total_env_steps();
  if (began_with != nullptr) {
    span = began_with->ppo().schedule_env_steps();
    const PpoSettings& ppo = experiment->ppo();
    const bool has_schedule = ppo.anneal_learning_rate() || ppo.has_final_entropy_coefficient();
    if (has_schedule && span != experiment->total_env_steps()) {
      lines->push_back(absl::StrCat("schedules stay those of a run of ", WithThousands(span),
                                    " environment steps, as this one began; ppo.schedule_env_steps says otherwise"));
    }
  }
  experiment->mutable_ppo()->set_schedule_env_steps(span);
}

}  // namespace

absl::StatusOr<RunStart> FindRunStart(const RunFolder& folder, const Experiment& experiment, bool fresh,
                                      std::vector<std::string>* lines) {
  absl::StatusOr<std::optional<Checkpoint>> newest = FindCheckpoint(folder, lines);
  if (!newest.ok()) {
    return absl::Status(newest.status().code(),
                        absl::StrCat(newest.status().message(),
                                     ". Nothing is trained and no record is dropped until you "
                                     "decide: put back what is missing, or move the unusable files out of ",
                                     folder.File("checkpoints"), " to go on from an older one, or move ", folder.path(),
                                     " away (or name another --run_dir) to begin anew"));
  }
  RunStart start;
  start.resumed = newest->has_value();
  if (fresh && start.resumed) {
    return absl::FailedPreconditionError(
        absl::StrCat("--fresh: ", folder.path(), " already holds a run; move it away, or name another --run_dir"));
  }
  if (!start.resumed) {
    // A new id: workers that still hold chunks of a start that came to nothing are of another run.
    start.checkpoint.run_id = NewRunId();
    start.checkpoint.experiment = experiment;
    ResolveSchedule(nullptr, &start.checkpoint.experiment, lines);
    return start;
  }
  start.checkpoint = **std::move(newest);
  Experiment began_with = start.checkpoint.experiment, goes_on = experiment;
  ResolveSchedule(nullptr, &began_with, lines);
  ResolveSchedule(&began_with, &goes_on, lines);
  absl::StatusOr<ResumeChanges> changes = CheckResumable(began_with, goes_on);
  if (!changes.ok()) {
    return absl::Status(changes.status().code(), absl::StrCat(folder.path(), ": ", changes.status().message()));
  }
  start.changes = *std::move(changes);
  if (!start.changes.told.empty()) {
    lines->push_back(absl::StrCat("from ", WithThousands(start.checkpoint.counters.env_steps),
                                  " environment steps on with other settings: ", FormatChanges(start.changes.told)));
  }
  start.checkpoint.experiment = std::move(goes_on);
  return start;
}

}  // namespace troupe
