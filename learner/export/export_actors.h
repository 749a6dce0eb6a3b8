// `learner export`: the actors of a run's checkpoint as a file to evaluate, act with or load in Python.
#ifndef TROUPE_LEARNER_EXPORT_EXPORT_ACTORS_H_
#define TROUPE_LEARNER_EXPORT_EXPORT_ACTORS_H_

#include <string>

#include "absl/status/statusor.h"

namespace troupe {

// `checkpoint`: "best", "last" (the newest) or a path. Returns one line saying what was written.
// Errors: NOT_FOUND naming what is not there; those of ReadCheckpoint and WriteActorFile.
absl::StatusOr<std::string> ExportActors(const std::string& run_folder, const std::string& checkpoint,
                                         const std::string& output);

}  // namespace troupe

#endif  // TROUPE_LEARNER_EXPORT_EXPORT_ACTORS_H_
