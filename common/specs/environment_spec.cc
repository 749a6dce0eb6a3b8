#include "common/specs/environment_spec.h"

namespace troupe {

std::string NameOf(ActionKind kind) { return kind == ActionKind::kDiscrete ? "discrete" : "continuous"; }

int EnvironmentSpec::num_agents() const {
  int count = 0;
  for (const AgentGroupSpec& group : groups) count += group.num_agents();
  return count;
}

int EnvironmentSpec::num_statistics() const {
  return static_cast<int>(statistics.size()) + num_agents() * static_cast<int>(agent_statistics.size());
}

int EnvironmentSpec::state_size() const {
  int size = state_extras_size;
  if (state_includes_observations) {
    for (const AgentGroupSpec& group : groups) size += group.num_agents() * group.observation_size;
  }
  return size;
}

}  // namespace troupe
