// What a run's folder (learner/run/run_folder.h) tells of the run, for people.
#ifndef TROUPE_LEARNER_COMMANDS_DESCRIBE_RUN_H_
#define TROUPE_LEARNER_COMMANDS_DESCRIBE_RUN_H_

#include <string>

#include "absl/status/statusor.h"

namespace troupe {

// How far it is, how fast it was, whether a learner works there, its checkpoints, actors, evaluations and final table.
// Errors: NOT_FOUND: no run's folder; INVALID_ARGUMENT: its experiment is none; those of files.
absl::StatusOr<std::string> DescribeRun(const std::string& folder);

}  // namespace troupe

#endif  // TROUPE_LEARNER_COMMANDS_DESCRIBE_RUN_H_
