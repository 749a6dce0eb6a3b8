// An environment's spec as a JSON text, for readers in other languages: that of troupe_environments.h and of recorded
// episodes.
#ifndef TROUPE_COMMON_SPECS_ENVIRONMENT_SPEC_JSON_H_
#define TROUPE_COMMON_SPECS_ENVIRONMENT_SPEC_JSON_H_

#include <string>

#include "common/specs/environment_spec.h"

namespace troupe {

// {"name", "copies", "groups": [{"name", "team", those of FormatAgentGroup, "observation_size", "action_kind",
// "action_size", "action_sizes", "action_bounds": [[low, high], …]}, …], "state_size", "statistics" with every
// agent's}.
std::string FormatEnvironmentSpec(const EnvironmentSpec& spec, int copies);

}  // namespace troupe

#endif  // TROUPE_COMMON_SPECS_ENVIRONMENT_SPEC_JSON_H_
