// The agents of an actor file by name.
#ifndef TROUPE_ACTOR_WORKER_ACTING_SAVED_AGENT_H_
#define TROUPE_ACTOR_WORKER_ACTING_SAVED_AGENT_H_

#include <optional>
#include <string>
#include <vector>

#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"

namespace troupe {

struct SavedAgent {
  size_t group = 0;  // index in `policies`
  int agent = 0;     // index in the group
};

// "GROUP/INDEX", an index that the group need not have, or an agent's name as `groups` have it, where they do. Policies
// and groups are an actor file's.
std::optional<SavedAgent> FindSavedAgent(const std::vector<PolicySpec>& policies,
                                         const std::vector<AgentGroupSpec>& groups, const std::string& name);

// What it is found by: its name where the groups have one, else "GROUP/INDEX".
std::string SavedAgentName(const std::vector<PolicySpec>& policies, const std::vector<AgentGroupSpec>& groups,
                           size_t group, int agent);

// For an error: `has no agent "…"`, and the nearest of `known`, or the first.
std::string HasNoAgent(const std::string& name, const std::vector<std::string>& known);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_SAVED_AGENT_H_
