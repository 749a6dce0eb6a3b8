// An environment's spec as the JSON text that troupe_environments.h promises.
#ifndef TROUPE_ACTOR_WORKER_LIBRARIES_ENVIRONMENT_SPEC_JSON_H_
#define TROUPE_ACTOR_WORKER_LIBRARIES_ENVIRONMENT_SPEC_JSON_H_

#include <string>

#include "common/specs/environment_spec.h"

namespace troupe {

std::string FormatEnvironmentSpec(const EnvironmentSpec& spec, int copies);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_LIBRARIES_ENVIRONMENT_SPEC_JSON_H_
