// Copies of an environment, however the environment makes them.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_CREATE_COPIES_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_CREATE_COPIES_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "actor_worker/environments/environment.h"

namespace troupe {

// `copies` of them, for one thread at a time: by entry.create_copies where there is one, else by entry.create. Errors:
// theirs.
absl::StatusOr<std::vector<std::unique_ptr<Environment>>> CreateCopies(const EnvironmentEntry& entry,
                                                                       const SettingsMap& settings, int copies);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_CREATE_COPIES_H_
