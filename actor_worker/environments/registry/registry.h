// The explicit table of built-in environments. A new environment is one file, one row in registry.cc and one test.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_REGISTRY_REGISTRY_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_REGISTRY_REGISTRY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "actor_worker/environments/environment.h"

namespace troupe {

// All rows, in the order people should read them.
absl::Span<const EnvironmentEntry> AllEnvironments();

// Errors: NOT_FOUND naming the nearest known environment.
absl::StatusOr<const EnvironmentEntry*> FindEnvironment(const std::string& name);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_REGISTRY_REGISTRY_H_
