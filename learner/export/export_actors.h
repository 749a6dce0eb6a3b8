// `learner export`: the actors of a run's checkpoint as files of their own.
#ifndef TROUPE_LEARNER_EXPORT_EXPORT_ACTORS_H_
#define TROUPE_LEARNER_EXPORT_EXPORT_ACTORS_H_

#include <string>

#include "absl/status/statusor.h"

namespace troupe {

// safetensors: an actor file, to evaluate, act with or load in Python. onnx: files that other programs run.
enum class ActorFormat { kSafetensors, kOnnx };

// "safetensors", "onnx". INVALID_ARGUMENT naming the nearest.
absl::StatusOr<ActorFormat> ParseActorFormat(const std::string& name);

// `checkpoint`: "best", "last" (the newest), "saved" or a path, of a checkpoint or of an actor file. `output`: a file,
// of kOnnx a folder. "saved": every version in the newest checkpoint's pool, as a file VERSION.safetensors of the
// folder `output`. Returns one line saying what was written. Errors: NOT_FOUND naming what is not there; those of
// ReadCheckpoint, ReadActorFile, WriteActorFile and WriteOnnxActors.
absl::StatusOr<std::string> ExportActors(const std::string& run_folder, const std::string& checkpoint,
                                         ActorFormat format, const std::string& output);

}  // namespace troupe

#endif  // TROUPE_LEARNER_EXPORT_EXPORT_ACTORS_H_
