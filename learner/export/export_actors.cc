#include "learner/export/export_actors.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "common/config/experiment_validation.h"
#include "common/config/settings_reader.h"
#include "common/files/atomic_file.h"
#include "common/specs/actor_file.h"
#include "common/threads/sync_point.h"
#include "learner/checkpoint/checkpoint.h"
#include "learner/checkpoint/checkpoint_store.h"
#include "learner/export/export_onnx.h"
#include "learner/export/model_card.h"

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

absl::StatusOr<ActorFile> ReadActors(const std::string& path) {
  const SyncPoint point("checkpoint.read");
  const absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(path);
  if (checkpoint.ok()) return MakeActorFile(*checkpoint);
  // No checkpoint, but perhaps what was made of one.
  if (absl::IsInvalidArgument(checkpoint.status())) return ReadActorFile(path);
  return checkpoint.status();
}

// What `read` makes of the checkpoint, whose path is told. A learner that trains takes the newest away once there is a
// newer one, perhaps after it was looked for.
template <typename Read>
auto ReadFound(const std::string& run_folder, const std::string& checkpoint, const Read& read, std::string* path)
    -> decltype(read(*path)) {
  constexpr int kMostLooks = 10;
  for (int look = 1;; ++look) {
    ASSIGN_OR_RETURN(*path, FindCheckpoint(run_folder, checkpoint));
    auto found = read(*path);
    if (!absl::IsNotFound(found.status()) || checkpoint != "last" || look == kMostLooks) return found;
  }
}

absl::StatusOr<std::string> ExportSaved(const std::string& run_folder, ActorFormat format, const std::string& output) {
  if (format != ActorFormat::kSafetensors) {
    return absl::InvalidArgumentError(
        "--checkpoint=saved: expected --format=safetensors; of its files others are made");
  }
  std::string path;
  ASSIGN_OR_RETURN(Checkpoint checkpoint, ReadFound(run_folder, "last", ReadCheckpoint, &path));
  if (!checkpoint.self_play.has_value() || checkpoint.self_play->pool.empty()) {
    return absl::NotFoundError(absl::StrCat(path, " holds no saved versions (self_play.save_interval_updates)"));
  }
  RETURN_IF_ERROR(MakeFolder(output));
  const auto steps_per_update = static_cast<uint64_t>(BatchSteps(checkpoint.experiment.collection()));
  const std::vector<SavedVersion> pool = checkpoint.self_play->pool;
  checkpoint.counters.best.reset();
  for (const SavedVersion& saved : pool) {
    checkpoint.policy = *saved.actors;
    checkpoint.counters.update = saved.actors->policy_version;
    checkpoint.counters.env_steps = saved.actors->policy_version * steps_per_update;
    ASSIGN_OR_RETURN(const ActorFile actors, MakeActorFile(checkpoint));
    RETURN_IF_ERROR(WriteActorFile(absl::StrCat(output, "/", saved.actors->policy_version, ".safetensors"), actors));
  }
  return absl::StrCat(output, "/: ", pool.size(), " saved versions of ", checkpoint.experiment.name(), ", ",
                      pool.front().actors->policy_version, " to ", pool.back().actors->policy_version, ", from ", path);
}

}  // namespace

absl::StatusOr<ActorFormat> ParseActorFormat(const std::string& name) {
  const std::map<std::string, ActorFormat> formats = {{"card", ActorFormat::kCard},
                                                      {"onnx", ActorFormat::kOnnx},
                                                      {"safetensors", ActorFormat::kSafetensors},
                                                      {"torchscript", ActorFormat::kTorchscript}};
  if (const auto found = formats.find(name); found != formats.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, format] : formats) names.push_back(known);
  const std::string nearest = NearestName(name, names);
  return absl::InvalidArgumentError(
      absl::StrCat("--format=", name, ": expected one of ", absl::StrJoin(names, " | "),
                   nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?")));
}

absl::StatusOr<std::string> ExportActors(const std::string& run_folder, const std::string& checkpoint,
                                         ActorFormat format, const std::string& output, ActorWriter write_torchscript) {
  if (checkpoint == "saved") return ExportSaved(run_folder, format, output);
  std::string path;
  ASSIGN_OR_RETURN(const ActorFile actors, ReadFound(run_folder, checkpoint, ReadActors, &path));
  std::string written = output;
  if (format == ActorFormat::kOnnx || format == ActorFormat::kTorchscript) {
    const ActorWriter write = format == ActorFormat::kOnnx ? WriteOnnxActors : write_torchscript;
    if (write == nullptr) return absl::UnimplementedError("--format=torchscript: this program is without LibTorch");
    ASSIGN_OR_RETURN(const std::vector<std::string> names, write(output, actors));
    absl::StrAppend(&written, "/: ", absl::StrJoin(names, ", "));
  } else if (format == ActorFormat::kCard) {
    RETURN_IF_ERROR(WriteModelFolder(output, actors));
    absl::StrAppend(&written, "/: a model card");
  } else {
    RETURN_IF_ERROR(WriteActorFile(output, actors));
  }
  return absl::StrCat(written, ": actors of ", actors.experiment.name(), " after update ",
                      actors.weights.policy_version, " (", actors.env_steps, " environment steps), from ", path);
}

}  // namespace troupe
