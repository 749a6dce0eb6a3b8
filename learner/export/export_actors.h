// `learner export`: the actors of a run's checkpoint as files of their own.
#ifndef TROUPE_LEARNER_EXPORT_EXPORT_ACTORS_H_
#define TROUPE_LEARNER_EXPORT_EXPORT_ACTORS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/specs/actor_file.h"

namespace troupe {

// safetensors: an actor file, to evaluate, act with or load in Python. onnx, torchscript: files that other programs
// run. card: a folder for a model hub, an actor file with its model card.
enum class ActorFormat { kSafetensors, kOnnx, kTorchscript, kCard };

// By these names. INVALID_ARGUMENT naming the nearest.
absl::StatusOr<ActorFormat> ParseActorFormat(const std::string& name);

// Writes actors into a folder and returns the files' names.
using ActorWriter = absl::StatusOr<std::vector<std::string>> (*)(const std::string& folder, const ActorFile& actors);

// `checkpoint`: "best", "last" (the newest), "saved" or a path, of a checkpoint or of an actor file. `output`: of
// kSafetensors a file, else a folder. "saved": every version in the newest checkpoint's pool, as a file
// VERSION.safetensors of the folder `output`. Returns one line saying what was written. Errors: NOT_FOUND naming what
// is not there; those of ReadCheckpoint, ReadActorFile, WriteActorFile, WriteModelFolder, WriteOnnxActors and
// `write_torchscript`, which is WriteTorchscriptActors (learner/torchscript/export_torchscript.h) where LibTorch is;
// UNIMPLEMENTED without it.
absl::StatusOr<std::string> ExportActors(const std::string& run_folder, const std::string& checkpoint,
                                         ActorFormat format, const std::string& output,
                                         ActorWriter write_torchscript = nullptr);

}  // namespace troupe

#endif  // TROUPE_LEARNER_EXPORT_EXPORT_ACTORS_H_
